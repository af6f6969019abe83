import { type Config, isOffline } from '../../config/environment.ts';
import type { ModelApi } from '../../config/model-rows/types.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import { assertLoopback, isLoopbackUrl } from './loopback.ts';
import { findVendor } from '../../config/model-rows/vendors.ts';

/** Where the adapter of each API finds the simulator, after its address. */
const SIMULATED_PATHS: Record<ModelApi, string> = { anthropic: '/anthropic', openai: '/openai/v1', gemini: '' };

/** The addresses of models, and the simulator of this process where one is needed. */
export interface Addresses {
  /** Undefined: the adapter's own. */
  of(entry: CatalogEntry): Promise<string | undefined>;
  close(): Promise<void>;
}

/**
 * Offline, every model that has no address of this machine is served by a simulator in this process, which runs until `close`. In
 * no other case is the simulator used.
 * @throws ConfigError offline with a variable that names another machine
 */
export async function openAddresses(config: Config): Promise<Addresses> {
  const { ANTHROPIC_BASE_URL, DEEPSEEK_BASE_URL, GEMINI_BASE_URL } = config;
  const named = ({ vendor, api }: CatalogEntry): string | undefined => {
    if (vendor === 'anthropic') return ANTHROPIC_BASE_URL;
    if (vendor === 'deepseek' && api === 'anthropic') return DEEPSEEK_BASE_URL;
    return vendor === 'google' ? GEMINI_BASE_URL : undefined;
  };
  if (!isOffline(config)) {
    return {
      of: async (entry) => entry.baseUrl ?? named(entry) ?? findVendor(entry.vendor)?.addresses[entry.api] ?? undefined,
      close: async () => {},
    };
  }
  assertLoopback({ ANTHROPIC_BASE_URL, DEEPSEEK_BASE_URL, GEMINI_BASE_URL });
  let simulator: ReturnType<typeof startSimulator> | undefined;
  const simulated = async (): Promise<string> => (await (simulator ??= startSimulator(config))).url;
  if (ANTHROPIC_BASE_URL === undefined) await simulated(); // a fault at the start is said at the start
  return {
    async of(entry) {
      const address = entry.baseUrl ?? named(entry);
      if (address !== undefined && isLoopbackUrl(address)) return address;
      const path = entry.vendor === 'anthropic' ? '' : SIMULATED_PATHS[entry.api];
      return `${await simulated()}${path}`;
    },
    close: async () => (await simulator)?.close(),
  };
}

/** Loaded here, so that a paid fleet never has the simulator's code in memory. */
async function startSimulator({ shards }: Config): Promise<{ url: string; close(): Promise<void> }> {
  const [{ startSimulator: start }, { AMPLE_LIMITS }, { AMPLE_CHAT_LIMITS }, { toSimulatedShards }] = await Promise.all(
    [
      import('../../../simulator/simulator.ts'),
      import('../../../simulator/anthropic/limits/token-limits.ts'),
      import('../../../simulator/openai/limits/chat-limits.ts'),
      import('./simulated-shards.ts'),
    ],
  );
  return start({
    anthropic: { limits: AMPLE_LIMITS },
    gemini: toSimulatedShards(shards),
    openai: { limits: AMPLE_CHAT_LIMITS },
  });
}
