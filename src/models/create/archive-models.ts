import { type Config, isOffline } from '../../config/environment.ts';
import { ConfigError, TaskFailedError } from '../../errors.ts';
import type { ShardConfig } from '../../config/shards.ts';
import type { ArchiveModel } from '../archive-model.ts';
import { createArchiveOverModel } from '../archive-over-model.ts';
import type { GeminiOptions } from '../gemini/call.ts';
import { assertLoopback } from './loopback.ts';
import { readArchiveRoute } from '../../config/model-rows/archive-route.ts';
import { catalogOf } from '../../pricing/catalog.ts';
import { findKey } from './keys.ts';
import { createModel } from './model.ts';
import { toSimulatedShards } from './simulated-shards.ts';

/** The models of the archive, which must be closed after use. */
export interface OpenArchiveModels {
  forShard(shard: ShardConfig): ArchiveModel;
  /** The model of `FLEET_FALLBACK_MODEL`; null where no key is set for it. */
  fallback: ArchiveModel | null;
  /** The model of a row besides the shards'; null where no key is set for it. */
  find(id: string): ArchiveModel | null;
  /** See `Model.limitKeyOf`. */
  limitKeyOf(id: string): string | undefined;
  close(): Promise<void>;
}

/**
 * Creates the archive models of this configuration. Offline they are simulated: by the servers at `GEMINI_BASE_URL` and
 * `DEEPSEEK_BASE_URL`, or by one that runs in this process until `close`. In no other case is the simulator used.
 * @throws ConfigError offline with an address of another machine
 */
export async function createArchiveModels(config: Config): Promise<OpenArchiveModels> {
  const { GEMINI_BASE_URL, DEEPSEEK_BASE_URL } = config;
  const limits = { idleMs: config.FLEET_CALL_IDLE_MS, totalMs: config.FLEET_CALL_TIMEOUT_MS };
  const offline = isOffline(config);
  if (offline) assertLoopback({ GEMINI_BASE_URL, DEEPSEEK_BASE_URL });
  const simulator =
    offline && GEMINI_BASE_URL === undefined && config.shards.length > 0 ? await startSimulator(config) : undefined;
  const create = await loadAdapter(config.GEMINI_SDK);
  const models = new Map(
    config.shards.map(({ number, apiKey }) => {
      const baseUrl = GEMINI_BASE_URL ?? simulator?.url;
      return [number, create({ apiKey, baseUrl, ...limits })] as const;
    }),
  );
  const catalog = catalogOf(config);
  const hasFallback = hasKey({ ...config, FLEET_OFFLINE: '0' }, config.FLEET_FALLBACK_MODEL); // not a simulated one
  const needsOthers = hasFallback || readArchiveRoute(config) !== null;
  const others = needsOthers ? await createModel(config, catalog, []) : null;
  const overModel = others === null ? null : createArchiveOverModel(others.model);
  return {
    forShard({ number }) {
      const model = models.get(number);
      if (model === undefined) throw new ConfigError(`shard ${number} is not configured`);
      return model;
    },
    fallback: hasFallback ? overModel : null,
    find: (id) => (hasKey(config, id) ? overModel : null),
    limitKeyOf: (id) => others?.model.limitKeyOf?.(id),
    async close() {
      await others?.close();
      await simulator?.close();
    },
  };
}

/** Whether this machine can call a model; false for one that nobody knows. */
function hasKey(config: Config, id: string): boolean {
  try {
    return findKey(catalogOf(config).findPrices(id, new Date()), config) !== undefined;
  } catch (error) {
    if (error instanceof TaskFailedError) return false;
    throw error;
  }
}

/** Loads only the configured SDK: one of them is large. */
async function loadAdapter(sdk: Config['GEMINI_SDK']): Promise<(options: GeminiOptions) => ArchiveModel> {
  if (sdk === 'genai') return (await import('../gemini/genai.ts')).createGenaiModel;
  return (await import('../gemini/generative-ai.ts')).createGenerativeAiModel;
}

/** Starts the simulator with the limits of the configured shards. Loaded here, so that a paid fleet never has its code in memory. */
async function startSimulator({ shards }: Config): Promise<{ url: string; close(): Promise<void> }> {
  const { startSimulator: start } = await import('../../../simulator/simulator.ts');
  return start({ gemini: toSimulatedShards(shards) });
}
