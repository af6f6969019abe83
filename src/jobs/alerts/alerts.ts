import type { Config } from '../../config/environment.ts';
import { readBudget } from '../../ledger/budget.ts';
import { toUsd } from '../../pricing/money.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import { readMany } from '../../redis/read-many.ts';
import { toStoredCount } from '../../redis/stored-record.ts';
import { GONE_AFTER_MS as WORKER_GONE_AFTER_MS, toLastSigns } from '../../swarm/heartbeat.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { GONE_AFTER_MS as ATTENDANT_GONE_AFTER_MS } from '../../swarm/presence.ts';
import { startUpkeep } from '../../swarm/upkeep.ts';
import { tellRises, type Condition } from './levels.ts';

const EVERY_MS = 30_000;
/** Shares of the day's budget at which a person is told, in percent. */
const BUDGET_PERCENTS = [50, 80, 95];
/** A shard with a smaller share of its day's calls has few left. */
const LOW_QUOTA = 0.1;
/** After a longer time without a look Redis was away, or all processes were: the signs of life come back within `EVERY_MS`. */
const LOOK_GAP_MS = 2 * EVERY_MS;
/** Field of `keys.alerts`: when a process looked last, ms since 1970. */
const LOOKED_AT = 'looked-at';
/** A process that has been gone for longer was told of, or is of a time before the alerts. */
const TELL_WITHIN_MS = 3_600_000;
const MINUTE_MS = 60_000;

export interface AlertParts {
  db: Db;
  notifier: Notifier;
  config: Pick<Config, 'FLEET_NOTIFY' | 'FLEET_NOTIFY_WAIT_MIN' | 'shards'>;
}

/**
 * Looks, in one process of the swarm at a time, for what a person should know before the fleet halts or stands still, and tells it to
 * `FLEET_NOTIFY`. Without that variable nothing is read.
 * @returns stops it
 */
export function startAlerts(parts: AlertParts & { log: Logger }): () => Promise<void> {
  const { db, config, log } = parts;
  if (config.FLEET_NOTIFY === undefined) return () => Promise.resolve();
  return startUpkeep({ db, name: 'alerts', everyMs: EVERY_MS, what: 'looking for alerts', log }, () =>
    lookForAlerts(parts),
  );
}

/** Looks once. Each condition is told of when it rises, once in the swarm, and again only after it was over. */
export async function lookForAlerts({ db, notifier, config }: AlertParts): Promise<void> {
  const { redis, keys, clock } = db;
  const now = clock.now();
  const shards = config.shards.filter(
    ({ project }, i) => project === null || config.shards.findIndex((other) => other.project === project) === i,
  );
  const facts = await readMany(redis, {
    stored: (r) => r.hgetall(keys.alerts),
    workers: (r) => r.hgetall(keys.workers),
    attendants: (r) => r.hgetall(keys.attendants),
    next: (r) => r.lindex(keys.queueKey('tasks', 'wait'), -1), // workers take from this end
    waiting: (r) => r.llen(keys.queueKey('tasks', 'wait')),
  });
  const conditions = [
    ...(await readDayBudget(db)),
    ...(await readQuotas(db, shards)),
    ...(await readNextTask(db, { ...facts, now, minutes: config.FLEET_NOTIFY_WAIT_MIN })),
  ];
  await tellRises({ db, notifier }, facts.stored, conditions);
  await redis.hset(keys.alerts, LOOKED_AT, now);
  const lookedAt = toStoredCount(facts.stored[LOOKED_AT]);
  if (lookedAt > 0 && now - lookedAt > LOOK_GAP_MS) return; // the next look tells who is still gone
  const gone = [
    ...listGone(toLastSigns(facts.workers), now, WORKER_GONE_AFTER_MS),
    ...listGone(
      Object.entries(facts.attendants).map(([id, at]) => [id, Number(at)]),
      now,
      ATTENDANT_GONE_AFTER_MS,
    ),
  ];
  for (const [worker, seenAt] of gone) {
    const since = new Date(seenAt).toISOString();
    notifier.notify(`worker-gone:${worker}:${seenAt}`, { event: 'worker-gone', worker, since });
  }
}

/** What is reserved is left out: it comes and goes with each call. */
async function readDayBudget(db: Db): Promise<Condition[]> {
  const now = db.clock.date();
  const { limit, settled, uncertain } = await readBudget(db, null, now);
  if (limit === null || limit <= 0) return [];
  const day = now.toISOString().slice(0, 10);
  const spent = settled + uncertain;
  const percent = BUDGET_PERCENTS.findLast((share) => spent * 100 >= limit * share) ?? 0;
  const [spentUsd, limitUsd] = [toUsd(spent), toUsd(limit)];
  return [
    {
      name: 'budget',
      of: `${day}:${limit}`,
      level: percent,
      notice: { event: 'budget', day, percent, spent_usd: spentUsd, limit_usd: limitUsd },
    },
  ];
}

/** A shard without a number has made no call yet. */
async function readQuotas({ redis, keys }: Db, shards: AlertParts['config']['shards']): Promise<Condition[]> {
  if (shards.length === 0) return [];
  const found = await redis.mget(shards.map(({ number }) => keys.shardQuota(number)));
  return shards.map(({ number, rpd }, i): Condition => {
    const text = found[i] ?? null;
    const left = text === null ? rpd : toStoredCount(text);
    const isLow = left > 0 && left <= LOW_QUOTA * rpd; // none left is `shard-out`
    return {
      name: `quota:${number}`,
      of: 'day',
      level: isLow || left <= 0 ? 1 : 0,
      notice: { event: 'quota-low', shard: number, left: Math.max(0, left), per_day: rpd },
    };
  });
}

/** A task that has begun before may be old, and wait since a moment ago. */
async function readNextTask(
  { redis, keys }: Db,
  { next, waiting, now, minutes }: { next: string | null; waiting: number; now: number; minutes: number },
): Promise<Condition[]> {
  const [timestamp = null, begun = null] =
    next === null ? [] : await redis.hmget(keys.queueKey('tasks', next), 'timestamp', 'ats');
  const waited = timestamp === null || toStoredCount(begun) > 0 ? 0 : now - toStoredCount(timestamp);
  const age = Math.floor(waited / MINUTE_MS);
  return [
    {
      name: 'waiting-long',
      of: 'tasks',
      level: age >= minutes ? 1 : 0,
      notice: { event: 'waiting-long', task: next ?? '', minutes: age, waiting },
    },
  ];
}

function listGone(signs: readonly (readonly [string, number])[], now: number, goneAfterMs: number) {
  return signs.filter(([, seenAt]) => now - seenAt >= goneAfterMs && now - seenAt < TELL_WITHIN_MS);
}
