import { type Config, isOffline, requireAnthropicKey } from '../../config/environment.ts';
import { ConfigError, TaskFailedError } from '../../errors.ts';
import { createAnthropicModel } from '../anthropic/adapter.ts';
import { withBilled } from '../anthropic/errors.ts';
import { isLoopback } from '../loopback.ts';
import type { Model } from '../model.ts';

export interface OpenModel {
  model: Model;
  close(): Promise<void>;
}

/**
 * The model this configuration asks for. Offline it is a simulated one: the server `ANTHROPIC_BASE_URL` names, or one
 * started in this process, which `close` ends. Never the simulator otherwise.
 * @throws ConfigError without a key, or offline with an address that is not this machine's
 */
export async function createModel(config: Config): Promise<OpenModel> {
  requireAnthropicKey(config);
  const { ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: baseUrl, FLEET_CALL_TIMEOUT_MS: callTimeoutMs } = config;
  if (!isOffline(config)) {
    const apiKey = ANTHROPIC_API_KEY ?? ''; // checked above
    return { model: onlyAnthropic(createAnthropicModel({ apiKey, baseUrl, callTimeoutMs })), close: async () => {} };
  }
  if (baseUrl !== undefined && !isLoopback(baseUrl)) {
    throw new ConfigError(
      'the environment is wrong:\n  ANTHROPIC_BASE_URL: with FLEET_OFFLINE=1 expected an address of this machine (127.0.0.1, localhost), or none',
    );
  }
  const simulator = baseUrl === undefined ? await startSimulator() : undefined;
  const address = baseUrl ?? simulator?.url;
  return {
    // A simulator may be told which keys to accept, so a configured one is sent; it does not leave the machine.
    model: onlyAnthropic(
      createAnthropicModel({ apiKey: ANTHROPIC_API_KEY ?? 'simulated', baseUrl: address, callTimeoutMs }),
    ),
    close: async () => simulator?.close(),
  };
}

/** Loaded when asked for: a paid fleet never has the simulator's code in memory. */
async function startSimulator(): Promise<{ url: string; close(): Promise<void> }> {
  const { startAnthropicSimulator } = await import('../../../simulator/anthropic/server.ts');
  return startAnthropicSimulator();
}

/** The catalog knows prices of other vendors' models too; asking this API for one would only be refused later. */
function onlyAnthropic(model: Model): Model {
  return {
    call: async (request, options) => {
      if (request.model.startsWith('claude-')) return model.call(request, options);
      const text = `model ${request.model}: not one of Anthropic's, and workers call no other yet`;
      throw withBilled(new TaskFailedError('model', text), 'no');
    },
  };
}
