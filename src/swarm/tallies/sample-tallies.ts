import type { Logger } from '../../process/logger.ts';
import { repeat } from '../../process/repeat.ts';
import type { Db } from '../../redis/db.ts';
import { SPAN_NAMES, SPANS } from './spans.ts';

/** A sample is taken so late after its step began, at most. */
const LOOK_EVERY_MS = 5_000;
/** The shortest step of all spans. */
const STEP_MS = Math.min(...SPAN_NAMES.map((span) => SPANS[span].stepMs));

/**
 * Keeps samples of the counts as long as this process runs. Each process does so and asks Redis once a minute: the first of them takes the
 * sample, and no lease has to be renewed for it.
 * @returns what stops it
 */
export function startSampling({ db, log }: { db: Db; log: Pick<Logger, 'warn'> }): () => Promise<void> {
  let sampledAt = Number.NaN;
  return repeat({ everyMs: LOOK_EVERY_MS, firstAfterMs: 0, what: 'sampling the counts', log }, async () => {
    if (db.redis.status !== 'ready') return; // nothing waits for a Redis that is away
    const step = Math.floor(db.clock.now() / STEP_MS);
    if (sampledAt !== step * STEP_MS) sampledAt = await sampleTallies(db);
  });
}

/**
 * Takes a sample in each span whose current step has none.
 * @param nowMs only a test gives it, whose clock is its own
 * @returns when the current minute began, ms since 1970
 */
export function sampleTallies({ scripts, keys }: Db, nowMs?: number): Promise<number> {
  const spans = SPAN_NAMES.map((span) => [SPANS[span].stepMs, SPANS[span].steps]);
  const samples = SPAN_NAMES.map((span) => keys.samples(span));
  return scripts['sample-tallies']({ metrics: keys.metrics, samples }, [JSON.stringify({ spans, now: nowMs })]);
}
