import { hash } from 'node:crypto';
import { createPacer } from '../../../src/pacing/pacer.ts';
import type { Db } from '../../../src/redis/db.ts';

/** The key of a fleet that is offline and has none (`createModel`). */
const OFFLINE_KEY = 'simulated';

/**
 * Makes one call known to the pacer, without a provider, so that it lets many begin at once: before any answer it lets one.
 * For tests that stop calls at a line, each its own.
 */
export async function letCallsBegin(db: Db, model = 'claude-haiku-5-5'): Promise<void> {
  const limitKey = hash('sha256', OFFLINE_KEY).slice(0, 12);
  const pacer = createPacer({ db, limitKeyOf: () => limitKey, log: console });
  const ask = { model, inputTokens: 1_000, outputTokens: 1_000, begun: true };
  const wait = { signal: new AbortController().signal, isDraining: () => false };
  const permit = await pacer.enter({ isCounted: false }).admit(ask, wait);
  permit?.ended({ input: 1_000, cache_write: 0, cache_read: 0, output: 200 });
  await pacer.close();
}
