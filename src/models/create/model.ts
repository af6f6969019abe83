import { hash } from 'node:crypto';
import { type Config, isOffline, requireAnthropicKey } from '../../config/environment.ts';
import { TaskFailedError } from '../../errors.ts';
import { createAnthropicModel } from '../anthropic/adapter.ts';
import { withBilled } from '../anthropic/errors.ts';
import { assertLoopback } from './loopback.ts';
import type { Model, ModelRequest } from '../model.ts';

/** A model that must be closed after use. */
export interface OpenModel {
  model: Model;
  close(): Promise<void>;
}

/**
 * Creates the model of this configuration. Offline it is simulated: by the server at `ANTHROPIC_BASE_URL`, or by one that
 * runs in this process until `close`. In no other case is the simulator used.
 * @throws ConfigError without a key, or offline with an address that is not this machine's
 */
export async function createModel(config: Config): Promise<OpenModel> {
  requireAnthropicKey(config);
  const { ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: baseUrl } = config;
  const limits = { idleMs: config.FLEET_CALL_IDLE_MS, totalMs: config.FLEET_CALL_TIMEOUT_MS };
  if (!isOffline(config)) {
    const apiKey = ANTHROPIC_API_KEY ?? ''; // checked above
    return {
      model: onlyAnthropic(apiKey, createAnthropicModel({ apiKey, baseUrl, ...limits })),
      close: async () => {},
    };
  }
  assertLoopback({ ANTHROPIC_BASE_URL: baseUrl });
  const simulator = baseUrl === undefined ? await startSimulator() : undefined;
  const address = baseUrl ?? simulator?.url;
  // A configured key is sent, because a simulator may check keys; it does not leave the machine.
  const apiKey = ANTHROPIC_API_KEY ?? 'simulated';
  return {
    model: onlyAnthropic(apiKey, createAnthropicModel({ apiKey, baseUrl: address, ...limits })),
    close: async () => simulator?.close(),
  };
}

/** Loaded here, so that a paid fleet never has the simulator's code in memory. */
async function startSimulator(): Promise<{ url: string; close(): Promise<void> }> {
  const [{ startAnthropicSimulator }, { AMPLE_LIMITS }] = await Promise.all([
    import('../../../simulator/anthropic/server.ts'),
    import('../../../simulator/anthropic/limits/token-limits.ts'),
  ]);
  return startAnthropicSimulator({ limits: AMPLE_LIMITS });
}

/** Refuses other vendors' models: the catalog has prices of some, but this API would refuse them later. */
function onlyAnthropic(apiKey: string, model: Model): Model {
  const check = ({ model: id }: ModelRequest): void => {
    if (id.startsWith('claude-')) return;
    const text = `model ${id}: not one of Anthropic's, and workers call no other yet`;
    throw withBilled(new TaskFailedError('model', text), 'no');
  };
  return {
    limitKey: hash('sha256', apiKey).slice(0, 12),
    async call(request, options) {
      check(request);
      return model.call(request, options);
    },
    async countTokens(request, options) {
      check(request);
      return model.countTokens(request, options);
    },
  };
}
