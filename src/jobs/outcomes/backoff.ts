import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { CallTimeoutError, type ProviderUnavailableError } from '../../errors.ts';
import { UNCERTAIN_PAUSE } from '../../ledger/refusals.ts';
import type { Db } from '../../redis/db.ts';

const FIRST_WAIT_MS = 5_000;
/** First wait after a rate limit without one that can be used, and shortest after any: `retry-after: 0` must not make every job ask again at once. */
const SHORTEST_COOLDOWN_MS = 1_000;
const LONGEST_UNNAMED_MS = 60_000;
const LONGEST_WAIT_MS = 10 * 60_000;
/** A wait until a shard's reset may last for hours: the spread must not add hours to it. */
const LONGEST_JITTER_MS = 30_000;
/** A job that found its provider down for this long fails. */
export const GIVE_UP_AFTER_MS = 2 * 3600_000;
/** Failures in a row, over the whole fleet, after which the model gets one probe a minute and no other call. */
const OUTAGE_COUNT = 10;
const PROBE_MS = 60_000;
/** What the key of a cool-down holds that a rate limit began. */
export const RATE_LIMIT_PAUSE = 'rate-limit';
/** A model that was not called for this long is not in use. */
const IN_USE_MS = 10 * 60_000;
const NOTE_USE_EVERY_MS = 60_000;

/** Spread by up to a fifth and at most 30 s, so that a thousand jobs do not come back in the same millisecond. Never shorter. */
export function withJitter(ms: number, random: () => number = Math.random): number {
  return Math.ceil(ms + random() * Math.min(ms / 5, LONGEST_JITTER_MS));
}

/** 5 s, doubling to 10 min. @param failures how often this job has failed before, 0 the first time */
export function toBackoffMs(failures: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures, 20), LONGEST_WAIT_MS);
}

/**
 * The model cools down for the whole fleet; a longer cool-down that is in force stays.
 * @param askedMs the wait that the provider named; 0: none, then the wait is 1 s, doubling to a minute while the model stays limited
 * @returns how long it cools now, ms
 */
export async function coolDown({ redis, keys }: Db, model: string, askedMs: number): Promise<number> {
  const key = keys.cooldown(model);
  const left = await redis.pttl(key);
  if (left > askedMs) return left;
  const ms =
    askedMs > 0
      ? Math.max(SHORTEST_COOLDOWN_MS, Math.ceil(askedMs))
      : await toUnnamedWaitMs(redis, keys.limitedInRow(model));
  await redis.set(key, RATE_LIMIT_PAUSE, 'PX', ms);
  return ms;
}

/** Limits that follow each other within twice the wait are in a row. */
async function toUnnamedWaitMs(redis: Db['redis'], inRow: string): Promise<number> {
  const before = Number(await redis.get(inRow)) || 0;
  const ms = Math.min(SHORTEST_COOLDOWN_MS * 2 ** before, LONGEST_UNNAMED_MS);
  await redis.set(inRow, before + 1, 'PX', 3 * ms);
  return ms;
}

/**
 * Counts that a call found its provider down. One that was silent for the whole idle limit stops the model at once: the calls
 * beside it most likely wait in vain too, and each that begins could cost its worst case. The next
 * answer to a call that began after the silence did reopens the model.
 * @returns how often this job has found its provider down since its last stored reply, and for how long, ms
 */
export async function countUnavailable(
  { keys, scripts }: Db,
  jobId: string,
  error: ProviderUnavailableError,
): Promise<{ failures: number; downMs: number }> {
  const { model } = error;
  const isSilent = error instanceof CallTimeoutError && error.limit === 'idle';
  const [failures = 0, downMs = 0] = await scripts['note-outage'](
    {
      turns: keys.turns(jobId),
      outage: keys.outage(model),
      outageRow: keys.outageRow(model),
      cooldown: keys.cooldown(model),
    },
    [randomUUID(), isSilent ? OUTAGE_COUNT : 1, OUTAGE_COUNT, PROBE_MS, isSilent ? error.silentMs : ''],
  );
  return { failures, downMs };
}

/**
 * The queue itself may stop only while every model in use cools: one model's wait is no other's.
 * @returns how long the shortest of them still waits, ms; 0 while any is free
 */
export async function allModelsCoolMs({ redis, keys, clock }: Db): Promise<number> {
  const lastUse = await redis.hgetall(keys.modelsInUse);
  const models = Object.keys(lastUse).filter((model) => clock.now() - Number(lastUse[model]) < IN_USE_MS);
  if (models.length === 0) return 0;
  const waits = await Promise.all(models.map((model) => redis.pttl(keys.cooldown(model))));
  return Math.max(0, Math.min(...waits));
}

/**
 * Ends the pause of models that wait because uncertain cost fills the day's budget: there may be room now. The next call of each
 * asks the budget again.
 */
export async function endPauseForMoney({ redis, keys }: Db, queue: Queue): Promise<void> {
  const models = await redis.hkeys(keys.modelsInUse);
  const values = await Promise.all(models.map((model) => redis.get(keys.cooldown(model))));
  const paused = models.filter((_, i) => values[i] === UNCERTAIN_PAUSE);
  if (paused.length === 0) return;
  await redis.del(...paused.map((model) => keys.cooldown(model)));
  await queue.removeRateLimitKey();
}

/** Records which models the fleet calls, for `allModelsCoolMs`: once a minute for each model. */
export function createModelUse({ redis, keys, clock }: Db): (model: string) => Promise<unknown> | undefined {
  const notedAt = new Map<string, number>();
  return (model) => {
    const now = clock.now();
    if (now - (notedAt.get(model) ?? 0) < NOTE_USE_EVERY_MS) return undefined;
    notedAt.set(model, now);
    return redis.hset(keys.modelsInUse, model, now);
  };
}
