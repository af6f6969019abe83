import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import { createPaceExchange, type PaceExchange } from './exchange.ts';
import { ModelPace, type PaceClock } from './model-pace.ts';
import type { Pacer, Permit, RunOptions, RunPace } from './types.ts';

export interface PacerParts {
  db: Db;
  /** Of the model (`Model.limitKey`). */
  limitKey: string | undefined;
  log: Pick<Logger, 'warn'>;
  /** The time of a test. */
  test?: { clock: PaceClock; toExchange(db: Db, name: string): PaceExchange };
}

/** A run between two calls counts as begun so long: one whose tool takes longer leaves its place to another. */
const PAUSE_MS = 3_000;

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

/** The last call of a run. */
interface LastCall {
  model: string;
  /** By the clock, ms; null: the call is under way or waits. */
  endedAt: number | null;
}

/** Opens the pacer of one process; null: nothing limits the model. It sends nothing before the first call. */
export function createPacer({ db, limitKey, log, test }: PacerParts): Pacer | null {
  const clock = test?.clock ?? CLOCK;
  if (limitKey === undefined) return null;
  const models = new Map<string, ModelPace>();
  const runs = new Map<object, LastCall>();

  function openRuns(model: string, now: number): number {
    let count = 0;
    for (const last of runs.values()) {
      if (last.model === model && (last.endedAt === null || now - last.endedAt < PAUSE_MS)) count += 1;
    }
    return count;
  }

  function modelPace(model: string): ModelPace {
    const known = models.get(model);
    if (known !== undefined) return known;
    const toExchange = test?.toExchange ?? createPaceExchange;
    const exchange = toExchange(db, `${limitKey}:${model}`);
    const created = new ModelPace({ model, exchange, clock, log, openRuns: (now) => openRuns(model, now) });
    models.set(model, created);
    return created;
  }

  function enter({ isCounted, note }: RunOptions): RunPace {
    const run = {};
    let last: LastCall | undefined;
    let current: Permit | undefined;

    function begin(permit: Permit | null, model: string): Permit | null {
      if (permit === null) return null;
      const begun = { model, endedAt: null as number | null };
      if (isCounted) runs.set(run, begun);
      last = begun;
      const end = (act: () => void): void => {
        begun.endedAt = clock.now();
        act();
      };
      current = {
        onLimits: permit.onLimits,
        ended: (usage) => end(() => permit.ended(usage)),
        refused: (ms) => end(() => permit.refused(ms)),
        failed: (isFree) => end(() => permit.failed(isFree)),
        giveBack: () => end(() => permit.giveBack()),
      };
      return current;
    }

    return {
      async admit(ask, wait) {
        const pace = modelPace(ask.model);
        if (last !== undefined && last.endedAt !== null && last.model === ask.model) {
          pace.notePause(clock.now() - last.endedAt);
          last.endedAt = null;
        }
        if (!ask.begun) runs.delete(run); // refused at its first call, it has not begun: it must not hold itself back
        return begin(await pace.admit(ask, wait), ask.model);
      },
      watch: (model) => ({
        ...model,
        call: (request, options) =>
          model.call(request, { ...options, onLimits: (limits) => current?.onLimits(limits) }),
      }),
      async note(line) {
        await note?.(`${new Date().toISOString()} ${line}`);
      },
      leave: () => void runs.delete(run),
    };
  }

  return {
    enter,
    async close() {
      await Promise.all([...models.values()].map((model) => model.close()));
    },
  };
}
