import { hash, randomBytes } from 'node:crypto';
import type { Queue } from 'bullmq';
import { UsageError } from '../../errors.ts';
import { findJobIdProblem } from '../../../queues/ids.ts';
import { missionExists } from './record.ts';
import type { Db } from '../../redis/db.ts';

/** A fresh id. */
export function createMissionId(): string {
  return `mission-${randomBytes(6).toString('hex')}`;
}

/** The id of a mission's finding. It depends on the mission's id alone and differs from that of a task with the same id. */
export function toMissionFindingId(missionId: string): string {
  return `finding_${hash('sha256', `mission/${missionId}`).slice(0, 16)}`;
}

/** @throws UsageError for an id that no job may have, or that a task of a mission has or would have */
export async function assertMissionId({ db, tasks }: { db: Db; tasks: Queue }, id: string): Promise<void> {
  const { redis, keys } = db;
  const problem = findJobIdProblem(id);
  if (problem !== null) throw new UsageError(`mission id: ${problem}`);
  // No two jobs may share an id: stored replies, costs and marks are kept by job id.
  if (await hasNumbered(db, id)) {
    throw new UsageError(
      `mission id: ${JSON.stringify(id)}: its tasks would be named as another mission is; choose another`,
    );
  }
  const [, other] = /^(.+)-\d+$/.exec(id) ?? [];
  if (
    (other !== undefined && (await missionExists(db, other))) ||
    (await redis.exists(keys.queueKey(tasks.name, id))) === 1
  ) {
    throw new UsageError(`mission id: ${JSON.stringify(id)} is a task's; choose another or leave it out`);
  }
}

/** Whether a mission has an id that a task of this mission would get. */
async function hasNumbered({ redis, keys }: Db, id: string): Promise<boolean> {
  let cursor = '0';
  do {
    const [next, found] = await redis.zscan(keys.missions, cursor, 'MATCH', `${id}-[0-9]*`, 'COUNT', 1_000);
    cursor = next;
    if (found.some((name, i) => i % 2 === 0 && /^\d+$/.test(name.slice(id.length + 1)))) return true;
  } while (cursor !== '0');
  return false;
}
