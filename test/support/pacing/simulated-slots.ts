import { ModelCoolingError, ShutdownError } from '../../../src/errors.ts';
import type { Pacer } from '../../../src/pacing/types.ts';
import type { Db } from '../../../src/redis/db.ts';
import { createRandom } from '../random.ts';
import type { BucketProvider } from './bucket-provider.ts';
import { createVirtualPacer, MODEL } from './virtual-pacer.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SlotsSetup {
  time: VirtualTime;
  provider: BucketProvider;
  /** One process each. */
  dbs: Db[];
  /** Of each process. */
  slots: number;
  tasks: number;
  turns?: number;
  /** Real input and output tokens of a call. Default: the ones of a small task. */
  sizes?: (turn: number, random: (low: number, high: number) => number) => [number, number];
  seed?: number;
}

/** Tasks of several calls in the slots of several processes, with one queue, by virtual time. */
export class SimulatedSlots {
  readonly #setup: Required<SlotsSetup>;
  readonly #queue: { begun: number }[];
  readonly #random: (low: number, high: number) => number;
  readonly #pacers: Pacer[];
  #isDraining = false;
  done = 0;
  /** Tasks with a call, not done. */
  readonly open = new Set<object>();

  constructor(setup: SlotsSetup) {
    this.#setup = { turns: 5, sizes: (_, random) => [random(1_200, 2_400), random(100, 700)], seed: 1, ...setup };
    const { dbs, tasks, seed, time } = this.#setup;
    this.#random = createRandom(seed);
    this.#queue = Array.from({ length: tasks }, () => ({ begun: 0 }));
    this.#pacers = dbs.map((db) => createVirtualPacer(db, time));
  }

  start(): void {
    for (const pacer of this.#pacers) for (let i = 0; i < this.#setup.slots; i += 1) void this.#work(pacer);
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    await Promise.all(this.#pacers.map((pacer) => pacer.close()));
  }

  async #work(pacer: Pacer): Promise<void> {
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) {
      try {
        await this.#runTask(pacer, task);
        this.open.delete(task);
        this.done += 1;
      } catch (error) {
        if (error instanceof ShutdownError) return;
        if (!(error instanceof ModelCoolingError)) throw error;
        const later = task;
        this.#setup.time.clock.after(error.delayMs, () => void this.#queue.push(later));
      }
    }
  }

  async #runTask(pacer: Pacer, task: { begun: number }): Promise<void> {
    const { turns, sizes, time, provider } = this.#setup;
    const pace = pacer.enter({ isCounted: true });
    try {
      for (; task.begun < turns; task.begun += 1) {
        const [input, output] = sizes(task.begun, this.#random);
        for (;;) {
          const ask = { model: MODEL, inputTokens: 2 * input, outputTokens: 32_000, begun: task.begun > 0 };
          const permit = await pace.admit(ask, {
            signal: new AbortController().signal,
            isDraining: () => this.#isDraining,
          });
          if (permit === null) throw new Error('every call is needed');
          this.open.add(task);
          const served = await provider.call(input, output);
          if (served.limits !== null) permit.onLimits(served.limits);
          if (served.status === 429) {
            permit.refused(served.retryAfterMs);
            continue;
          }
          permit.ended(await served.usage);
          break;
        }
        await time.sleep(20);
      }
    } finally {
      pace.leave();
    }
  }
}
