import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import { toUtcDay } from '../../findings/timestamp.ts';
import type { Db } from '../../redis/db.ts';
import type { NotedWait, WakeReason } from './reason.ts';

/** Looks whether what jobs wait for is there. @returns how many of `waiting`, the first ones, may start now */
export type Opening<Reason> = (reason: Reason, waiting: readonly NotedWait[]) => Promise<number>;

/** What a process can look at. */
export type Openings = { [Kind in WakeReason['kind']]?: Opening<Extract<WakeReason, { kind: Kind }>> };

interface OpeningParts {
  db: Db;
  queues: Record<QueueName, Queue>;
}

/** Failures in a row after which a model gets one probe and no other call. */
const OUTAGE_COUNT = 10;

/** What every worker can look at: the budgets, and whether a model may be called. */
export function createOpenings(parts: OpeningParts): Openings {
  return {
    money: ({ scope, name }, waiting) => countPaidFor(parts, { scope, name }, waiting),
    model: ({ model }, waiting) => countOpenOf(parts, model, waiting.length),
  };
}

/** How many jobs wait for a worker: they start before the ones that are woken. */
export async function countReady({ redis, keys }: Db, queue: string): Promise<number> {
  return redis.llen(keys.queueKey(queue, 'wait'));
}

/** Jobs that are ready take the room first. A job whose call the budget can never pay is woken, too: it learns so. */
async function countPaidFor(
  { db }: OpeningParts,
  { scope, name }: { scope: string; name: string },
  waiting: readonly NotedWait[],
): Promise<number> {
  const { redis, keys, clock } = db;
  if ((await countReady(db, waiting[0]?.queue ?? 'tasks')) > 0) return 0;
  const spend = keys.spend(scope === 'day' ? `day:${toUtcDay(clock.date())}` : `${scope}:${name}`);
  const [settled, reserved, uncertain, own] = await redis.hmget(spend, 'settled', 'reserved', 'uncertain', 'limit');
  const limit = scope === 'day' ? await redis.hget(keys.budget, 'day') : own;
  if (limit === null || limit === undefined) return waiting.length;
  const left = Number(limit) - Number(settled ?? 0) - Number(uncertain ?? 0);
  let room = left - Number(reserved ?? 0);
  let count = 0;
  for (const { worstNanoUsd } of waiting) {
    if (worstNanoUsd > room && worstNanoUsd <= left) break;
    room -= worstNanoUsd;
    count += 1;
  }
  return count;
}

/** None while the model cools down; one as the probe after an outage; then all. */
async function countOpenOf({ db }: OpeningParts, model: string, most: number): Promise<number> {
  const { redis, keys } = db;
  const [cools, outage] = await Promise.all([redis.exists(keys.cooldown(model)), redis.get(keys.outage(model))]);
  if (cools === 1) return 0;
  return Number(outage ?? 0) < OUTAGE_COUNT ? most : Math.min(most, 1);
}
