import { CancelledError } from '../errors.ts';
import { createMissionRecord, readMission } from './mission/record.ts';
import type { MissionRecord } from './mission/types.ts';
import type { StepContext } from './step/types.ts';

/** The record a run begins with. A mission that failed and was retried runs again. */
export async function beginMission(ctx: StepContext): Promise<MissionRecord> {
  const { db, id, data, session } = ctx;
  const { redis, keys } = db;
  const found = await readMission(db, id);
  if (found === null || found.createdAt === null) {
    await createMissionRecord(db, { id, data, session, createdAt: ctx.now() });
    return ctx.read();
  }
  if (found.state !== 'done' && (await redis.zscore(keys.cancelled, id)) !== null) {
    throw new CancelledError('cancelled by a person');
  }
  if (found.state === 'failed') {
    await redis.hdel(keys.mission(id), 'endedAt');
    await ctx.record({ state: 'running', problem: '' });
    return ctx.read();
  }
  if (found.state === 'running' && found.problem !== '') await ctx.record({ problem: '' });
  return found;
}
