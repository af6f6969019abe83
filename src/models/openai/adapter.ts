import { createRedactor } from '../../config/redact.ts';
import { FleetError, ProviderUnavailableError, TaskFailedError } from '../../errors.ts';
import { toReason, toTimeout, withBilled } from '../failed-call.ts';
import { type CallClock, type CallLimits, startCallClock } from '../call-clock.ts';
import { fetchOrNotSent } from '../connection-failure.ts';
import type { CallOptions, Model, ModelReply, ModelRequest } from '../model.ts';
import { withoutFence } from '../schema-in-text.ts';
import { streamEventData } from '../server-sent-events.ts';
import { toDialect } from './dialect.ts';
import { ChatApiError, findRefusedField, toApiError, toFleetError } from './errors.ts';
import { readChatLimits } from './limits.ts';
import { toChatReply } from './reply.ts';
import { type ChatParams, isStrict, type SpareField, toChatParams } from './request.ts';
import { StreamedChat } from './streamed-chat.ts';

export interface OpenAiOptions extends CallLimits {
  /** '': the server asks for none, as one on this machine. */
  apiKey: string;
  /** Whose API it is, which decides on what it wants: see `dialect.ts`. */
  vendor: string;
  /** With its version, such as `https://api.openai.com/v1`. Default: where the vendor's server listens on this machine. */
  baseUrl?: string | undefined;
}

/** Once a reply is whole, its connection may stay open for so long: read to its end, it can be used again. */
const LINGER_MS = 1_000;

/**
 * A model behind chat completions: OpenAI, DeepSeek, Mistral, OpenRouter, and servers on this machine such as vLLM, Ollama and LM
 * Studio. Retries nothing that is paid: where a server refuses a field that it does not know, which costs nothing, the same call
 * asks again without it, and later calls of the model leave it out.
 */
export function createOpenAiModel({ apiKey, vendor, baseUrl, ...limits }: OpenAiOptions): Model {
  const redact = createRedactor(apiKey === '' ? [] : [apiKey]);
  const dialect = toDialect(vendor);
  const address = baseUrl ?? null;
  const refusedFields = new Map<string, Set<SpareField>>(); // by model

  /** @throws FleetError for a key that no header can hold, such as one with an invisible character: nothing is sent then */
  function toHeaders(model: string): Headers {
    const accept = 'text/event-stream';
    try {
      return new Headers({
        'content-type': 'application/json',
        accept,
        ...(apiKey !== '' && { authorization: `Bearer ${apiKey}` }),
      });
    } catch {
      const words = `${model}: the request could not be made: its key holds a character that no header can hold`;
      throw withBilled(new FleetError(words), 'no');
    }
  }

  async function post(params: ChatParams, signal: AbortSignal): Promise<Response> {
    return fetchOrNotSent(`${String(address).replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: toHeaders(params.model),
      body: JSON.stringify(params),
      signal,
      redirect: 'error', // the key must not follow to another host
    });
  }

  /** Makes one request and reads its reply into `chat`. @throws ChatApiError for an error answer */
  async function send(
    params: ChatParams,
    clock: CallClock,
    chat: StreamedChat,
    { onLimits }: CallOptions,
  ): Promise<void> {
    const response = await post(params, clock.signal);
    clock.touch();
    const stated = readChatLimits(response.headers, Date.now());
    if (stated !== undefined) onLimits?.({ ...stated, ...(response.status === 429 ? { isRefusal: true } : {}) });
    if (!response.ok) throw toApiError(response.status, await readWhole(response, clock), response.headers);
    if (response.headers.get('content-type')?.includes('text/event-stream') === true) {
      return readStream(response, clock, chat);
    }
    const body = await readWhole(response, clock); // a gateway may answer in one piece
    if (hasError(body)) throw toApiError(response.status, body, response.headers, true);
    if (typeof body !== 'object' || body === null) throw new NotAReply(`expected a JSON object, got ${typeof body}`);
    chat.add(body as Record<string, unknown>);
    chat.end();
    if (!chat.isWhole) throw new NotAReply('choices: missing');
  }

  async function call(request: ModelRequest, options: CallOptions): Promise<ModelReply> {
    const { model } = request;
    const { signal } = options;
    if (address === null) {
      const words = `model ${model}: its row names no base_url, and the vendor ${vendor} has no known address`;
      throw withBilled(new TaskFailedError('model', words), 'no');
    }
    if (signal.aborted) throw toReason(signal, 'no');
    const clock = startCallClock(signal, limits);
    const refused = new Set(refusedFields.get(model));
    try {
      for (;;) {
        const params = toChatParams(request, dialect, refused);
        const chat = new StreamedChat();
        try {
          await send(params, clock, chat, options);
          return toReply(chat, request, params);
        } catch (error) {
          const field = error instanceof ChatApiError && !error.isInStream ? findRefusedField(error, params) : null;
          if (field === null || refused.has(field)) throw error;
          refused.add(field);
          // A schema that the server does not take says nothing about other schemas.
          if (!/invalid schema/i.test(String(error))) refusedFields.set(model, new Set(refused));
        }
      }
    } catch (error) {
      if (error instanceof FleetError) throw error;
      if (error instanceof NotAReply) {
        throw withBilled(malformed(model, redact(error.message)), 'unknown');
      }
      // An error answer is more exact than an abort at the same time.
      const isAnswered = error instanceof ChatApiError;
      if (!isAnswered && signal.aborted) throw toReason(signal, 'unknown');
      if (!isAnswered && clock.reached !== null)
        throw withBilled(toTimeout(model, clock.reached, limits[clock.reached]), 'unknown');
      throw toFleetError(error, { model, redact, now: Date.now() });
    } finally {
      clock.stop();
    }
  }

  function toReply(chat: StreamedChat, request: ModelRequest, params: ChatParams): ModelReply {
    const checked = toChatReply(chat, request, params);
    if (checked.ok)
      return request.outputSchema === undefined || isStrict(params) ? checked.reply : withoutFence(checked.reply);
    const { model } = request;
    const error = checked.isBroken
      ? new ProviderUnavailableError(model, true, `${model}: ${checked.rule}`)
      : malformed(model, redact(checked.rule));
    throw withBilled(error, checked.usage ?? 'unknown');
  }

  return {
    call,
    countTokens: async (_request, { signal }) => {
      signal.throwIfAborted();
      return null; // the API has no such request
    },
  };
}

/** A 200 whose body is no completion. */
class NotAReply extends Error {}

/** Also returns if the connection broke after the reply's last part. @throws what broke the stream */
async function readStream(response: Response, clock: CallClock, chat: StreamedChat): Promise<void> {
  try {
    for await (const data of streamEventData(response.body ?? [], clock.touch)) {
      if (data.trim() === '[DONE]') chat.end();
      else {
        const chunk = JSON.parse(data) as Record<string, unknown>;
        if (hasError(chunk)) throw toApiError(response.status, chunk, response.headers, true);
        chat.add(chunk);
      }
      if (chat.isComplete) clock.lingerFor(LINGER_MS);
    }
  } catch (error) {
    if (!chat.isWhole) throw error;
  }
  if (!chat.isWhole) throw new Error('the stream ended before the reply did');
}

function hasError(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  return ('error' in body && body.error !== null) || ('object' in body && body.object === 'error');
}

async function readWhole(response: Response, clock: CallClock): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  for await (const piece of response.body ?? []) {
    clock.touch();
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString();
  if (response.headers.get('content-type')?.includes('json') !== true || text === '') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (response.ok) throw error;
    return text;
  }
}

function malformed(model: string, rule: string): TaskFailedError {
  return new TaskFailedError('malformed', `${model}: the reply is no completion: ${rule}`);
}
