import { QUERY_PREFIX } from '../../../queues/ids.ts';
import type { QueueName } from '../../../queues/registry.ts';
import type { Db } from '../../redis/db.ts';

/** The queue of each job. A mission's id may have any form, so Redis is asked, also once its job was removed. */
export async function toQueueNames({ redis, keys }: Db, ids: readonly string[]): Promise<Map<string, QueueName>> {
  const chain = redis.pipeline();
  for (const id of ids) chain.exists(keys.mission(id));
  const replies = ids.length === 0 ? [] : ((await chain.exec()) ?? []);
  return new Map(
    ids.map((id, i) => {
      const [error, isMission] = replies[i] ?? [];
      if (error) throw error;
      if (id.startsWith(QUERY_PREFIX)) return [id, 'archive'];
      return [id, isMission === 1 ? 'missions' : 'tasks'];
    }),
  );
}
