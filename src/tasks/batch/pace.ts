import type { ChainableCommander } from 'ioredis';
import type { Keys } from '../../redis/keys.ts';
import { describeDuration } from '../../text/time/duration.ts';
import type { BatchPace } from './types.ts';

/** Findings of this long tell the rate: an earlier pause says nothing of now. */
const WINDOW_MS = 5 * 60_000;
/** Fewer findings, or a shorter time, tell nothing: the slots end their first tasks at the same moment. */
const LEAST_FINDINGS = 3;
const LEAST_MS = 10_000;

/** The commands that `toPace` reads the answers of. @param now by Redis' clock, ms since 1970 */
export function readPaceFacts(
  chain: ChainableCommander,
  { keys, now }: { keys: Pick<Keys, 'indexByBatch'>; now: number },
  batch: string,
): ChainableCommander {
  const index = keys.indexByBatch(batch);
  return chain
    .zcount(index, now - WINDOW_MS, '+inf')
    .zrange(index, now - WINDOW_MS, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES');
}

/**
 * @param facts the answers of `readPaceFacts`; `open`: tasks that have not ended; `parked`: those of them that nobody works before a
 *   person acts, null: not known
 * @returns null while it is not known, and where nothing is to be done
 */
export function toPace(facts: {
  count: unknown;
  oldest: unknown;
  open: number;
  parked: number | null;
  now: number;
}): BatchPace | null {
  const { open, parked, now } = facts;
  const left = parked === null ? 0 : open - parked;
  const count = Number(facts.count);
  const since = Array.isArray(facts.oldest) ? Number(facts.oldest[1]) : NaN;
  const elapsed = now - since;
  if (left <= 0 || !(count >= LEAST_FINDINGS) || !(elapsed >= LEAST_MS)) return null;
  const perMs = (count - 1) / elapsed; // the oldest finding begins the time
  return { perMinute: perMs * 60_000, leftMs: left / perMs };
}

/** `12 a minute, about 40 min left`. */
export function describePace({ perMinute, leftMs }: BatchPace): string {
  const rate =
    perMinute >= 1
      ? `${perMinute.toLocaleString('en-US', { maximumFractionDigits: perMinute < 10 ? 1 : 0 })} a minute`
      : `one in ${describeDuration(60_000 / perMinute)}`;
  return `${rate}, about ${describeDuration(leftMs)} left`;
}
