import { hash, randomBytes } from 'node:crypto';
import type { Queue } from 'bullmq';
import { idSchema } from '../../../queues/tasks.ts';
import { UsageError } from '../../errors.ts';
import { QUERY_PREFIX } from '../../../queues/ids.ts';
import type { Db } from '../../redis/db.ts';

/** A fresh id. */
export function createMissionId(): string {
  return `mission-${randomBytes(6).toString('hex')}`;
}

/** The id of a mission's finding, from the mission's id alone. No task's: a task may have the same id. */
export function toMissionFindingId(missionId: string): string {
  return `finding_${hash('sha256', `mission/${missionId}`).slice(0, 16)}`;
}

/** @throws UsageError for an id that cannot be a job's, or that a task of a mission would have */
export async function assertMissionId({ db, tasks }: { db: Db; tasks: Queue }, id: string): Promise<void> {
  const { redis, keys } = db;
  if (!idSchema.safeParse(id).success || /^\d+$/.test(id)) {
    throw new UsageError(
      `mission id: expected letters, digits, dot, underscore or dash, and not only digits, got ${JSON.stringify(id)}`,
    );
  }
  if (id.startsWith(QUERY_PREFIX)) {
    throw new UsageError(`mission id: ${JSON.stringify(id)}: ${QUERY_PREFIX}… is kept for questions to the archive`);
  }
  // One id, one job: what is stored of a job goes by its id.
  if (await hasNumbered(db, id)) {
    throw new UsageError(
      `mission id: ${JSON.stringify(id)}: its tasks would be named as another mission is; choose another`,
    );
  }
  const [, other] = /^(.+)-\d+$/.exec(id) ?? [];
  const ofMission = other !== undefined && (await redis.exists(keys.mission(other))) === 1;
  if (ofMission || (await redis.exists(keys.queueKey(tasks.name, id))) === 1) {
    throw new UsageError(`mission id: ${JSON.stringify(id)} is a task's; choose another or leave it out`);
  }
}

/** Whether a mission is named as a task of this one would be. */
async function hasNumbered({ redis, keys }: Db, id: string): Promise<boolean> {
  let cursor = '0';
  do {
    const [next, found] = await redis.zscan(keys.missions, cursor, 'MATCH', `${id}-[0-9]*`, 'COUNT', 1_000);
    cursor = next;
    if (found.some((name, at) => at % 2 === 0 && /^\d+$/.test(name.slice(id.length + 1)))) return true;
  } while (cursor !== '0');
  return false;
}
