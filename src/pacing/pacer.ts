import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import { createPaceExchange, type PaceExchange } from './exchange.ts';
import { ModelPace } from './model-pace.ts';
import type { PaceClock } from './one-at-a-time.ts';
import { PacedRun } from './paced-run.ts';
import type { PacedRow, Pacer } from './types.ts';

export interface PacerParts {
  db: Db;
  /** Hash of the key that the provider limits for this model; undefined: none. */
  limitKeyOf(model: string): string | undefined;
  /** What the model's row says. Default: nothing. */
  rowOf?(model: string): PacedRow;
  /** Name of the worker, for people who ask where a limit was learned. */
  who?: string;
  log: Pick<Logger, 'warn'>;
  /** The time of a test. */
  test?: { clock: PaceClock; toExchange(db: Db, name: string): PaceExchange };
}

/** In place of the key's hash, where only the row limits the model. */
const NO_KEY = 'none';

const CLOCK: PaceClock = {
  now: () => performance.now(),
  after(ms, act) {
    if (ms <= 0) {
      let isStopped = false;
      // Runs after all replies of the same packet are handled, so that their calls are asked for together.
      process.nextTick(() => isStopped || act());
      return () => (isStopped = true);
    }
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

/** Opens the pacer of one process. It sends nothing before the first call, and nothing for models that nothing limits. */
export function createPacer({ db, limitKeyOf, rowOf = () => ({}), who, log, test }: PacerParts): Pacer {
  const clock = test?.clock ?? CLOCK;
  const models = new Map<string, ModelPace | null>();
  const counted = new Set<PacedRun>();

  function countOpen(model: string): number {
    const now = clock.now();
    let count = 0;
    for (const run of counted) if (run.isOpen(model, now)) count += 1;
    return count;
  }

  function modelPace(model: string): ModelPace | null {
    let pace = models.get(model);
    if (pace === undefined) {
      pace = openPace(model);
      models.set(model, pace);
    }
    return pace;
  }

  function openPace(model: string): ModelPace | null {
    const row = rowOf(model);
    const limitKey = limitKeyOf(model) ?? (hasLimits(row) ? NO_KEY : undefined);
    if (limitKey === undefined) return null;
    const exchange = (test?.toExchange ?? createPaceExchange)(db, `${limitKey}:${model}`);
    return new ModelPace({ model, row, who, exchange, clock, log, openRuns: () => countOpen(model) });
  }

  const parts = { now: clock.now, modelPace, counted };
  return {
    enter: (options) => new PacedRun(parts, options),
    async close() {
      await Promise.all([...models.values()].map(async (model) => model?.close()));
    },
  };
}

function hasLimits({ limits = {} }: PacedRow): boolean {
  return Object.values(limits).some((limit) => limit !== undefined);
}
