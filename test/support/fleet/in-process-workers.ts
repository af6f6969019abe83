import { serveV2 } from '../../../src/bridge-v2/run-v2.ts';
import { runBridge } from '../../../src/bridge/run-bridge.ts';
import { requireShards, type Config } from '../../../src/config/environment.ts';
import { runCoordinator } from '../../../src/coordinator/run-coordinator.ts';
import { runHaiku } from '../../../src/haiku/run-haiku.ts';
import type { DayClock } from '../../../src/librarian/gate/pacific-day.ts';
import { runLibrarian } from '../../../src/librarian/run-librarian.ts';
import { createArchiveModels } from '../../../src/models/create/archive-models.ts';
import { createModel } from '../../../src/models/create/model.ts';
import type { Model } from '../../../src/models/model.ts';
import { createLogger, type Logger } from '../../../src/process/logger.ts';
import type { ScriptedArchive } from '../models/scripted-archive.ts';

const DAY_MS = 24 * 3_600_000;

/** `http`: the provider of the configuration; offline without an address, a simulator in this process. */
export type WorkerModel = Model | 'http';

type Result<Run extends (...args: never[]) => Promise<unknown>> = Awaited<ReturnType<Run>>;

interface Running {
  close(): Promise<void>;
}

/** A day of the quota that is half over: a used-up day means something else soon after midnight. */
const noon: DayClock = (atMs) => {
  const startsAtMs = Math.floor(atMs / DAY_MS) * DAY_MS - DAY_MS / 2;
  return { name: 'today', startsAtMs, endsAtMs: startsAtMs + 2 * DAY_MS };
};

/** The fleet's processes, run in the test's own. */
export class InProcessWorkers {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #running: Running[] = [];
  readonly #models: Running[] = [];

  constructor(config: Config) {
    this.#config = config;
    this.#log = createLogger('test', config.FLEET_LOG_LEVEL);
  }

  /** @param changes what differs from the configuration of the other processes */
  async startHaiku(model: WorkerModel, changes: Partial<Config> = {}): Promise<Result<typeof runHaiku>> {
    const { config, log } = this.#parts;
    return this.#keep(await runHaiku({ config: { ...config, ...changes }, log, model: await this.#open(model) }));
  }

  /** @param changes what differs from the configuration of the other processes */
  async startCoordinator(model: WorkerModel, changes: Partial<Config> = {}): Promise<Result<typeof runCoordinator>> {
    const { config, log } = this.#parts;
    return this.#keep(await runCoordinator({ config: { ...config, ...changes }, log, model: await this.#open(model) }));
  }

  /** @param changes what differs from the configuration of the other processes */
  async startBridge(changes: Partial<Config> = {}): Promise<Result<typeof runBridge>> {
    const { config, log } = this.#parts;
    return this.#keep(await runBridge({ config: { ...config, FLEET_BRIDGE: '1', ...changes }, log, v2: serveV2 }));
  }

  async startLibrarian(archive: ScriptedArchive | 'http'): Promise<Result<typeof runLibrarian>> {
    const shards = this.#config.shards.length === 0 ? [] : requireShards(this.#config);
    if (archive !== 'http') {
      return this.#keep(await runLibrarian({ ...this.#parts, shards, models: archive.models, dayAt: noon }));
    }
    const models = await createArchiveModels(this.#config);
    this.#models.push(models);
    return this.#keep(await runLibrarian({ ...this.#parts, shards, models }));
  }

  /** Closes the processes, the last one started first, then the models over HTTP. */
  async close(): Promise<void> {
    for (const each of this.#running.toReversed()) await each.close();
    for (const each of this.#models) await each.close();
  }

  get #parts(): { config: Config; log: Logger } {
    return { config: this.#config, log: this.#log };
  }

  async #open(model: WorkerModel): Promise<Model> {
    if (model !== 'http') return model;
    const open = await createModel(this.#config);
    this.#models.push(open);
    return open.model;
  }

  /** A test may close a process itself. */
  #keep<R extends Running>(running: R): R {
    let closed: Promise<void> | null = null;
    const kept = { ...running, close: () => (closed ??= running.close()) };
    this.#running.push(kept);
    return kept;
  }
}
