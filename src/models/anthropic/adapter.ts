import Anthropic, { APIError } from '@anthropic-ai/sdk';
import { FleetError, TaskFailedError, type Billed } from '../../errors.ts';
import { createRedactor } from '../../config/redact.ts';
import { type CallClock, type CallLimits, startCallClock } from '../call-clock.ts';
import { fetchOrNotSent } from '../connection-failure.ts';
import type { CallOptions, Model, ModelReply, ModelRequest, OnInput } from '../model.ts';
import { streamEventData } from '../server-sent-events.ts';
import { toReason, toTimeout, withBilled } from '../failed-call.ts';
import { toEventError, toFleetError } from './errors.ts';
import { readLimits } from './limits.ts';
import { withOwnThinking } from './blocks.ts';
import { checkReply } from './reply-shape.ts';
import { ANTHROPIC, toCountedParams, toParams } from './request.ts';
import { StreamedReply } from './streamed-reply.ts';

export interface AnthropicOptions extends CallLimits {
  apiKey: string;
  /** Default: the provider's address. */
  baseUrl?: string | undefined;
  /** Another one than `anthropic` serves the same API, with less in it. Default `anthropic`. */
  vendor?: string;
}

/** Once a reply is whole, its connection may stay open for so long: read to its end, it can be used again. */
const LINGER_MS = 1_000;

/** A model behind the Anthropic Messages API, with streaming. Never retries, so that no call is paid for twice. */
export function createAnthropicModel({ apiKey, baseUrl, vendor = ANTHROPIC, ...limits }: AnthropicOptions): Model {
  const redact = createRedactor([apiKey]);
  const client = new Anthropic({
    apiKey,
    baseURL: baseUrl ?? 'https://api.anthropic.com', // given, so that no variable of the shell changes it
    maxRetries: 0, // the SDK would wait out a retry-after of an hour inside the job
    timeout: limits.totalMs + 1_000, // the call's clock fires first
    logLevel: 'off', // the SDK's debug log contains whole prompts
    // DeepSeek reads the key there. https://api-docs.deepseek.com/guides/anthropic_api
    defaultHeaders: vendor === ANTHROPIC ? {} : { 'x-api-key': apiKey },
    fetch: fetchOrNotSent,
  });

  /** Makes one request. `read` gets the response of a 200; what it has read is in `reply`, also if it throws. */
  async function send<Result>(
    request: ModelRequest,
    { signal, onLimits }: CallOptions,
    create: (options: { signal: AbortSignal }) => { asResponse(): Promise<Response> },
    read: (response: Response, clock: CallClock, reply: StreamedReply) => Promise<Result>,
  ): Promise<Result> {
    if (signal.aborted) throw toReason(signal, 'no');
    const clock = startCallClock(signal, limits);
    const reply = new StreamedReply();
    let response: Response | undefined;
    const report = (from: Headers | undefined, status: number): void => {
      const stated = readLimits(from);
      if (stated !== undefined) onLimits?.({ ...stated, ...(status === 429 ? { isRefusal: true } : {}) });
    };
    try {
      response = await create({ signal: clock.signal }).asResponse();
      clock.touch();
      report(response.headers, response.status);
      return await read(response, clock, reply);
    } catch (error) {
      if (error instanceof FleetError) throw error;
      const { reported } = reply;
      const billed: Billed = reported === undefined ? 'unknown' : { reported };
      // An error response is more exact than an abort at the same time.
      const answered = error instanceof APIError && error.status !== undefined;
      if (answered && response === undefined) report(error.headers, error.status);
      if (!answered && signal.aborted) throw toReason(signal, billed);
      if (!answered && clock.reached !== null)
        throw withBilled(toTimeout(request.model, clock.reached, limits[clock.reached]), billed);
      throw toFleetError(error, {
        model: request.model,
        redact,
        now: Date.now(),
        reported,
        isAnswered: response !== undefined,
      });
    } finally {
      clock.stop();
    }
  }

  return {
    call: (request, options) =>
      send(
        request,
        options,
        (abort) => client.messages.create(toParams(request, vendor), abort),
        async (response, clock, reply) => {
          const isStream = response.headers.get('content-type')?.includes('text/event-stream') === true;
          // A gateway may answer in one piece.
          const body = isStream
            ? await readStream(response, clock, reply, options.onInput)
            : await readWhole(response, clock);
          const whole = toReply(body, request.model, redact);
          return vendor === ANTHROPIC ? whole : withOwnThinking(whole, request.model);
        },
      ),
    countTokens: async (request, options) => {
      options.signal.throwIfAborted();
      if (vendor !== ANTHROPIC) return null; // few of the others have this endpoint
      return send(
        request,
        options,
        (abort) => client.messages.countTokens(toCountedParams(request), abort),
        async (response, clock) => {
          const body = await readWhole(response, clock);
          const count: unknown =
            typeof body === 'object' && body !== null ? Reflect.get(body, 'input_tokens') : undefined;
          return typeof count === 'number' ? count : null;
        },
      );
    },
  };
}

/** @returns the message, also if the connection broke after its last part. @throws what broke the stream */
async function readStream(
  response: Response,
  clock: CallClock,
  reply: StreamedReply,
  onInput: OnInput | undefined,
): Promise<unknown> {
  try {
    for await (const data of streamEventData(response.body ?? [], clock.touch)) {
      const event = JSON.parse(data) as Anthropic.RawMessageStreamEvent | { type: 'error' };
      if (event.type === 'error') throw toEventError(event, response.headers);
      reply.add(event);
      if (event.type === 'message_start' && reply.reported !== undefined) onInput?.(reply.reported);
      if (reply.isStopped) clock.lingerFor(LINGER_MS);
    }
  } catch (error) {
    if (!reply.isWhole) throw error;
  }
  if (!reply.isWhole) throw new Error('the stream ended before the reply did');
  return reply.toBody();
}

async function readWhole(response: Response, clock: CallClock): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  for await (const piece of response.body ?? []) {
    clock.touch();
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return isJson && text !== '' ? (JSON.parse(text) as unknown) : text;
}

function toReply(body: unknown, model: string, redact: (text: string) => string): ModelReply {
  const checked = checkReply(body);
  if (checked.ok) return checked.reply;
  const error = new TaskFailedError('malformed', `${model}: the reply is no message: ${redact(checked.rule)}`);
  throw withBilled(error, checked.usage ?? 'unknown');
}
