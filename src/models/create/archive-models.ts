import { type Config, isOffline } from '../../config/environment.ts';
import { ConfigError } from '../../errors.ts';
import type { ShardConfig } from '../../config/shards.ts';
import type { ArchiveModel } from '../archive-model.ts';
import { createDeepseekModel } from '../anthropic/deepseek.ts';
import type { GeminiOptions } from '../gemini/adapter.ts';
import { assertLoopback } from './loopback.ts';

/** The models of the archive, which must be closed after use. */
export interface OpenArchiveModels {
  forShard(shard: ShardConfig): ArchiveModel;
  /** Answers where no shard can; null where no key is set for it. */
  fallback: ArchiveModel | null;
  close(): Promise<void>;
}

/**
 * Creates the archive models of this configuration. Offline they are simulated: by the servers at `GEMINI_BASE_URL` and
 * `DEEPSEEK_BASE_URL`, or by one that runs in this process until `close`. In no other case is the simulator used.
 * @throws ConfigError offline with an address of another machine
 */
export async function createArchiveModels(config: Config): Promise<OpenArchiveModels> {
  const { GEMINI_BASE_URL, DEEPSEEK_BASE_URL, DEEPSEEK_API_KEY } = config;
  const limits = { idleMs: config.FLEET_CALL_IDLE_MS, totalMs: config.FLEET_CALL_TIMEOUT_MS };
  const offline = isOffline(config);
  if (offline) assertLoopback({ GEMINI_BASE_URL, DEEPSEEK_BASE_URL });
  const needsFallback = DEEPSEEK_API_KEY !== undefined && DEEPSEEK_BASE_URL === undefined;
  const simulator =
    offline && (GEMINI_BASE_URL === undefined || needsFallback) ? await startSimulator(config) : undefined;
  const create = await loadAdapter(config.GEMINI_SDK);
  const models = new Map(
    config.shards.map(({ number, apiKey }) => {
      const baseUrl = GEMINI_BASE_URL ?? simulator?.url;
      return [number, create({ apiKey, baseUrl, ...limits })] as const;
    }),
  );
  const deepseekUrl = simulator === undefined ? undefined : `${simulator.url}/anthropic`;
  return {
    forShard({ number }) {
      const model = models.get(number);
      if (model === undefined) throw new ConfigError(`shard ${number} is not configured`);
      return model;
    },
    fallback:
      DEEPSEEK_API_KEY === undefined
        ? null
        : createDeepseekModel({
            apiKey: DEEPSEEK_API_KEY,
            baseUrl: DEEPSEEK_BASE_URL ?? deepseekUrl,
            ...limits,
          }),
    close: async () => simulator?.close(),
  };
}

/** Loads only the configured SDK: one of them is large. */
async function loadAdapter(sdk: Config['GEMINI_SDK']): Promise<(options: GeminiOptions) => ArchiveModel> {
  if (sdk === 'genai') return (await import('../gemini/genai.ts')).createGenaiModel;
  return (await import('../gemini/generative-ai.ts')).createGenerativeAiModel;
}

/** Starts the simulator with the limits of the configured shards. Loaded here, so that a paid fleet never has its code in memory. */
async function startSimulator({ shards }: Config): Promise<{ url: string; close(): Promise<void> }> {
  const { startSimulator: start } = await import('../../../simulator/simulator.ts');
  const project = ({ number, project: named }: ShardConfig): string => named ?? `shard-${number}`;
  return start({
    gemini: {
      projects: Object.fromEntries(shards.map((shard) => [shard.apiKey, project(shard)])),
      paidProjects: shards.filter(({ tier }) => tier === 'paid').map(project),
      limits: {
        byProject: Object.fromEntries(shards.map((shard) => [project(shard), toLimits(shard)])),
        windowMs: shards[0]?.windowMs ?? 60_000,
      },
    },
  });
}

function toLimits({ rpm, tpm, rpd }: ShardConfig): { rpm: number; tpm: number; rpd: number } {
  return { rpm, tpm, rpd };
}
