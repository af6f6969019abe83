import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { ProviderUnavailableError, TaskFailedError } from '../../errors.ts';
import { createRedactor } from '../../config/redact.ts';
import { toFleetError, withBilled } from './errors.ts';
import { fetchOrNotSent } from '../connection-failure.ts';
import type { Model, ModelRequest } from '../model.ts';
import { checkReply } from './reply-shape.ts';

export interface AnthropicOptions {
  apiKey: string;
  /** Default: the provider's address. */
  baseUrl?: string | undefined;
  /** Total deadline of one call, body included. */
  callTimeoutMs: number;
  /** Further headers of every request. */
  headers?: Record<string, string>;
}

/** A model behind the Anthropic Messages API, without streaming. Never retries, so that no call is paid for twice. */
export function createAnthropicModel({ apiKey, baseUrl, callTimeoutMs, headers = {} }: AnthropicOptions): Model {
  const redact = createRedactor([apiKey]);
  const client = new Anthropic({
    apiKey,
    baseURL: baseUrl ?? 'https://api.anthropic.com', // given, so that no variable of the shell changes it
    maxRetries: 0, // the SDK would wait out a retry-after of an hour inside the job
    timeout: callTimeoutMs + 1_000, // covers the headers only; the deadline below covers the body and fires first
    logLevel: 'off', // the SDK's debug log contains whole prompts
    defaultHeaders: headers,
    fetch: fetchOrNotSent,
  });
  return {
    async call(request, { signal }) {
      signal.throwIfAborted();
      const params = toParams(request);
      const deadline = new AbortController();
      const timer = setTimeout(() => deadline.abort(), callTimeoutMs);
      let body: unknown;
      try {
        body = await client.messages.create(params, { signal: AbortSignal.any([signal, deadline.signal]) });
      } catch (error) {
        // An error response is more exact than an abort at the same time.
        const answered = error instanceof APIError && error.status !== undefined;
        if (!answered) signal.throwIfAborted();
        if (!answered && deadline.signal.aborted) throw toDeadlineError(request.model, callTimeoutMs);
        throw toFleetError(error, { model: request.model, redact, now: Date.now() });
      } finally {
        clearTimeout(timer);
      }
      const checked = checkReply(body);
      if (checked.ok) return checked.reply;
      const error = new TaskFailedError(
        'malformed',
        `${request.model}: the reply is no message: ${redact(checked.rule)}`,
      );
      throw withBilled(error, checked.usage ?? 'unknown');
    },
  };
}

/** No `temperature`, `top_p` or `top_k`: the API refuses them even at their defaults. */
function toParams(request: ModelRequest): Anthropic.MessageCreateParamsNonStreaming {
  const { model, maxTokens, system, messages, tools, outputSchema, user } = request;
  return {
    model,
    max_tokens: maxTokens,
    messages,
    cache_control: { type: 'ephemeral' }, // caches up to the last block: each turn reads the cache of the one before
    ...(system.length > 0 && { system }),
    ...(tools.length > 0 && { tools }),
    ...(outputSchema && { output_config: { format: { type: 'json_schema', schema: outputSchema } } }),
    ...(user !== undefined && { metadata: { user_id: user } }),
  };
}

function toDeadlineError(model: string, callTimeoutMs: number): ProviderUnavailableError {
  const text = `${model}: no complete reply within ${callTimeoutMs} ms`;
  return withBilled(new ProviderUnavailableError(model, true, text), 'unknown');
}
