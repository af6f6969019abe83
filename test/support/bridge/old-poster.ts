import type { Db } from '../../../src/redis/db.ts';
import type { OldTaskPart } from '../../../src/redis/keys.ts';

/** Posts tasks as programs of the original fleet do. */
export interface OldPoster {
  /** `SET task:<id>` and `PUBLISH channel:tasks`. */
  post(id: string, task: unknown): Promise<void>;
  /** `SET task:<id>` alone. */
  store(id: string, task: unknown): Promise<void>;
  /** The text of `task:<id>:<part>`; null: none. */
  read(id: string, part: OldTaskPart): Promise<string | null>;
}

export function createOldPoster({ redis, keys }: Db): OldPoster {
  const store = async (id: string, task: unknown): Promise<void> => {
    await redis.set(keys.oldTask(id), typeof task === 'string' ? task : JSON.stringify(task));
  };
  return {
    store,
    async post(id, task) {
      await store(id, task);
      await redis.publish(keys.channelTasks, id);
    },
    read: (id, part) => redis.get(keys.oldTask(id, part)),
  };
}
