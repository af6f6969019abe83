import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import { startUpkeep } from '../../swarm/upkeep.ts';
import type { Openings } from './openings.ts';
import { promoteById } from './promote.ts';
import { parseMember, parseReasonName, type NotedWait, type WakeReason } from './reason.ts';

/** How often one process of the swarm looks. */
const WAKE_EVERY_MS = 1_000;
/** Most jobs that are woken for one reason at once: the others stay delayed until the next look. */
const WAKE_MOST = 100;
/** A job whose time came so long ago, ms, has come back by itself. */
const LATE_MS = 1_000;

export interface WakerParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  log: Logger;
}

/** Wakes delayed jobs when what they wait for is there. */
export interface Waker {
  /** A job of this process was delayed until calls under way have ended. */
  moneyAwaited(): void;
  /** The job of this process ended, and with it its reservation: wakes those that wait for money, at once. */
  jobEnded(): void;
  /** Looks at intervals no more, and waits for a look that is under way. */
  stop(): Promise<void>;
}

/**
 * Looks once a second, in one process of the swarm, whether what delayed jobs wait for is there, and puts as many back to
 * waiting as may start, in the order of their time. Each asks again before its next call. A job that nothing wakes comes back at
 * its time; so does one that an older version delayed.
 * @param openings what this process can look at: processes with other openings look at theirs
 */
export function startWaker(parts: WakerParts, openings: Openings): Waker {
  const { db, log } = parts;
  const kinds = Object.keys(openings).sort().join('-');
  let isMoneyAwaited = false;
  let looking: Promise<void> | null = null;

  async function look(only: WakeReason['kind'] | null): Promise<void> {
    const awaited = await wakeDelayed(parts, openings, only);
    isMoneyAwaited = awaited.has('money');
  }

  const options = {
    db,
    name: `wake-${kinds}`,
    everyMs: WAKE_EVERY_MS,
    what: 'waking delayed jobs',
    log,
    isNeeded: async () => (await db.redis.exists(db.keys.waits)) === 1, // else each idle process would ask for the lease each second
  };
  const stop = startUpkeep(options, () => look(null));
  return {
    moneyAwaited: () => void (isMoneyAwaited = true),
    jobEnded() {
      if (!isMoneyAwaited || looking !== null) return;
      looking = look('money')
        .catch((error: unknown) => log.warn({ error }, 'delayed jobs were not woken; it is tried again'))
        .finally(() => (looking = null));
    },
    async stop() {
      await stop();
      isMoneyAwaited = false;
      await looking;
    },
  };
}

/** @returns the kinds of reasons for which jobs still wait */
export async function wakeDelayed(
  parts: Omit<WakerParts, 'log'>,
  openings: Openings,
  only: WakeReason['kind'] | null = null,
): Promise<Set<WakeReason['kind']>> {
  const { redis, keys, clock } = parts.db;
  const awaited = new Set<WakeReason['kind']>();
  const names = await redis.zrange(keys.waits, '0', '-1');
  if (names.length === 0) return awaited;
  const before = clock.now() - LATE_MS;
  await redis.zremrangebyscore(keys.waits, '-inf', before);
  for (const name of names) {
    const reason = parseReasonName(name);
    if (reason === null || openings[reason.kind] === undefined || (only ?? reason.kind) !== reason.kind) continue;
    const waits = keys.waitsFor(name);
    await redis.zremrangebyscore(waits, '-inf', before);
    const members = await redis.zrange(waits, '0', String(WAKE_MOST - 1));
    if (members.length === 0) continue;
    const count = await countOpen(
      openings,
      reason,
      members.map((member) => parseMember(member)),
    );
    if (count < members.length) awaited.add(reason.kind);
    for (const member of members.slice(0, Math.max(0, count))) {
      await wakeOne(parts, parseMember(member));
      await redis.zrem(waits, member); // afterwards: a crash before it leaves the job for the next look
    }
  }
  return awaited;
}

function countOpen(openings: Openings, reason: WakeReason, waiting: readonly NotedWait[]): Promise<number> {
  const open = openings[reason.kind] as
    | ((reason: WakeReason, waiting: readonly NotedWait[]) => Promise<number>)
    | undefined;
  return open?.(reason, waiting) ?? Promise.resolve(0);
}

async function wakeOne({ db, queues }: Omit<WakerParts, 'log'>, { queue, jobId }: NotedWait): Promise<void> {
  const { redis, keys, clock } = db;
  const opened = queues[queue as QueueName] as Queue | undefined;
  if (opened === undefined || !(await promoteById(opened, jobId))) return;
  // A begun task goes to the front at the next look of `putBegunFirst`.
  if (queue === 'tasks') await redis.zadd(keys.begunDelayed, 'XX', clock.now(), jobId);
}
