import { CancelledError } from '../errors.ts';
import { setBudget } from '../ledger/budget.ts';
import type { Keys } from '../redis/keys.ts';
import type { Redis } from 'ioredis';
import type { MissionData } from '../../queues/missions.ts';
import { readMission } from './mission/record.ts';
import type { MissionRecord } from './mission/types.ts';
import type { StepContext } from './step/types.ts';

/**
 * Lays down the record of a mission, its place in the list and its budget; what is there already stays. The producer does
 * so before the job is added, the coordinator again: a job may have come another way.
 */
export async function layDownMission(
  redis: Redis,
  keys: Keys,
  mission: { id: string; data: MissionData; session: string; createdAt: Date },
): Promise<void> {
  const { id, data, session, createdAt } = mission;
  const fields = {
    goal: data.goal,
    session,
    workspace: data.workspace ?? '',
    state: 'running',
    step: 'recall',
    createdAt: createdAt.toISOString(),
    updatedAt: createdAt.toISOString(),
  };
  const chain = redis.pipeline();
  for (const [name, value] of Object.entries(fields)) chain.hsetnx(keys.mission(id), name, value);
  chain.zadd(keys.missions, 'NX', createdAt.getTime(), id);
  for (const [error] of (await chain.exec()) ?? []) if (error) throw error;
  if (data.budget_usd === undefined) return;
  if ((await redis.hexists(keys.spend(`mission:${id}`), 'limit')) === 1) return; // a person may have changed it
  await setBudget(redis, keys, data.budget_usd, { mission: id });
}

/** The record a run begins with. A mission that failed and was retried runs again. */
export async function beginMission(ctx: StepContext): Promise<MissionRecord> {
  const { redis, keys, id, data, session } = ctx;
  const found = await readMission(redis, keys, id);
  if (found === null || found.createdAt === null) {
    await layDownMission(redis, keys, { id, data, session, createdAt: ctx.now() });
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
