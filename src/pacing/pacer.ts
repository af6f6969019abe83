import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import { createPaceExchange, type PaceExchange } from './exchange.ts';
import { ModelPace } from './model-pace.ts';
import type { PaceClock } from './one-at-a-time.ts';
import { PacedRun } from './paced-run.ts';
import type { Pacer } from './types.ts';

export interface PacerParts {
  db: Db;
  /** Of the model (`Model.limitKey`). */
  limitKey: string | undefined;
  log: Pick<Logger, 'warn'>;
  /** The time of a test. */
  test?: { clock: PaceClock; toExchange(db: Db, name: string): PaceExchange };
}

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

/** Opens the pacer of one process; null: nothing limits the model. It sends nothing before the first call. */
export function createPacer({ db, limitKey, log, test }: PacerParts): Pacer | null {
  const clock = test?.clock ?? CLOCK;
  if (limitKey === undefined) return null;
  const models = new Map<string, ModelPace>();
  const counted = new Set<PacedRun>();

  function countOpen(model: string): number {
    const now = clock.now();
    let count = 0;
    for (const run of counted) if (run.isOpen(model, now)) count += 1;
    return count;
  }

  function modelPace(model: string): ModelPace {
    const known = models.get(model);
    if (known !== undefined) return known;
    const toExchange = test?.toExchange ?? createPaceExchange;
    const exchange = toExchange(db, `${limitKey}:${model}`);
    const created = new ModelPace({ model, exchange, clock, log, openRuns: () => countOpen(model) });
    models.set(model, created);
    return created;
  }

  const parts = { now: clock.now, modelPace, counted };
  return {
    enter: (options) => new PacedRun(parts, options),
    async close() {
      await Promise.all([...models.values()].map((model) => model.close()));
    },
  };
}
