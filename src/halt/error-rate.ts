import { countOf } from '../text/plural.ts';
import type { HaltSwitch } from './halt.ts';
import type { Db } from '../redis/db.ts';

/** Counts jobs that ended within this time: slow tasks count, an earlier outage does not. */
const WINDOW_MS = 10 * 60_000;
/**
 * Fewer failures never halt: a small batch that fails whole is its author's mistake, and cheap. Twenty failures at a cent cost
 * twenty cents; the rest of the file may hold a hundred thousand tasks.
 */
const LEAST_FAILURES = 20;
/** Share of all ended jobs. Below it, most of the money still buys findings. */
const HALT_SHARE = 0.5;
/** Job ids in the detail. */
const EXAMPLES = 3;

/** Reasons that are no sign of a broken fleet: a person cancelled, the job was invalid before any call, or its worker decided so. */
const NOT_COUNTED: ReadonlySet<string> = new Set([
  'cancelled',
  'invalid-job',
  'finding-taken',
  'no-evidence',
  'handed-back',
  'conflict',
  'outside',
]);

export interface ErrorRateParts {
  db: Db;
  halt: Pick<HaltSwitch, 'halt'>;
  workerId: string;
}

/**
 * Halts the fleet when at least half of the jobs that ended in the last ten minutes failed, and at least twenty, over all
 * queues. Called when a job fails; a job that completes costs nothing here.
 * @returns whether this failure halted
 */
export async function noteFailure(parts: ErrorRateParts, failure: { jobId: string; reason: string }): Promise<boolean> {
  const { redis, keys, clock } = parts.db;
  if (NOT_COUNTED.has(failure.reason)) return false;
  const now = clock.now();
  const since = now - WINDOW_MS;
  const [, , failures, ...found] = toReplies(
    await redis
      .multi()
      .zadd(keys.recentFailures, now, `${failure.reason}|${failure.jobId}`)
      .zremrangebyscore(keys.recentFailures, '-inf', since)
      .zcard(keys.recentFailures)
      .zcount(keys.index, since, '+inf')
      .zcount(keys.indexAnswers, since, '+inf')
      .pexpire(keys.recentFailures, WINDOW_MS)
      .exec(),
  );
  const failed = failures ?? 0;
  const done = (found[0] ?? 0) + (found[1] ?? 0);
  if (failed < LEAST_FAILURES || failed < HALT_SHARE * (failed + done)) return false;
  return parts.halt.halt({
    reason: 'error-rate',
    step: `job ${failure.jobId} failed`,
    by: parts.workerId,
    detail: await describeFailures(parts, done),
  });
}

async function describeFailures({ db: { redis, keys } }: ErrorRateParts, done: number): Promise<string> {
  const entries = await redis.zrevrange(keys.recentFailures, 0, '-1'); // of ten minutes, newest first
  const failed = entries.length; // further jobs may have failed meanwhile
  const counts = new Map<string, number>();
  for (const entry of entries) counts.set(toReason(entry), (counts.get(toReason(entry)) ?? 0) + 1);
  const reasons = [...counts].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `${count} ${reason}`);
  const ids = entries.slice(0, EXAMPLES).map((entry) => entry.slice(entry.indexOf('|') + 1));
  const share = Math.round((100 * failed) / (failed + done));
  return `${failed} of ${countOf(failed + done, 'job')} that ended in the last 10 minutes failed (${share} %): ${reasons.join(', ')}; for example ${ids.join(', ')}`;
}

function toReason(entry: string): string {
  return entry.slice(0, entry.indexOf('|'));
}

function toReplies(answer: [Error | null, unknown][] | null): number[] {
  return (answer ?? []).map(([error, reply]) => {
    if (error) throw error;
    return Number(reply);
  });
}
