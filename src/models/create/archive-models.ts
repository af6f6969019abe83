import { type Config, isOffline } from '../../config/environment.ts';
import { ConfigError } from '../../errors.ts';
import type { ShardConfig } from '../../config/shards.ts';
import type { ArchiveModel } from '../archive-model.ts';
import { createDeepseekModel } from '../anthropic/deepseek.ts';
import type { GeminiOptions } from '../gemini/adapter.ts';
import { isLoopback } from '../loopback.ts';

export interface OpenArchiveModels {
  forShard(shard: ShardConfig): ArchiveModel;
  /** Answers when no shard can; null without a key of its own. */
  fallback: ArchiveModel | null;
  close(): Promise<void>;
}

/**
 * The models this configuration asks for. Offline they are simulated ones: the servers `GEMINI_BASE_URL` and
 * `DEEPSEEK_BASE_URL` name, or one started in this process, which `close` ends. Never the simulator otherwise.
 * @throws ConfigError offline with an address that is not this machine's
 */
export async function createArchiveModels(config: Config): Promise<OpenArchiveModels> {
  const { GEMINI_BASE_URL, DEEPSEEK_BASE_URL, DEEPSEEK_API_KEY, FLEET_CALL_TIMEOUT_MS: callTimeoutMs } = config;
  const offline = isOffline(config);
  if (offline) assertLoopback({ GEMINI_BASE_URL, DEEPSEEK_BASE_URL });
  const needsFallback = DEEPSEEK_API_KEY !== undefined && DEEPSEEK_BASE_URL === undefined;
  const simulator =
    offline && (GEMINI_BASE_URL === undefined || needsFallback) ? await startSimulator(config) : undefined;
  const create = await loadAdapter(config.GEMINI_SDK);
  const models = new Map(
    config.shards.map(({ number, apiKey }) => {
      const baseUrl = GEMINI_BASE_URL ?? simulator?.url;
      return [number, create({ apiKey, baseUrl, callTimeoutMs })] as const;
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
            callTimeoutMs,
          }),
    close: async () => simulator?.close(),
  };
}

/** Only the SDK that is used is loaded: one of them is large. */
async function loadAdapter(sdk: Config['GEMINI_SDK']): Promise<(options: GeminiOptions) => ArchiveModel> {
  if (sdk === 'genai') return (await import('../gemini/genai.ts')).createGenaiModel;
  return (await import('../gemini/generative-ai.ts')).createGenerativeAiModel;
}

/** With the limits of the configured shards; a paid fleet never has the simulator's code in memory. */
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

function assertLoopback(urls: Record<string, string | undefined>): void {
  const wrong = Object.keys(urls).filter((name) => urls[name] !== undefined && !isLoopback(urls[name]));
  if (wrong.length === 0) return;
  const lines = wrong.map(
    (name) => `  ${name}: with FLEET_OFFLINE=1 expected an address of this machine (127.0.0.1, localhost), or none`,
  );
  throw new ConfigError(`the environment is wrong:\n${lines.join('\n')}`);
}
