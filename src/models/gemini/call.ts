import { z } from 'zod';
import { ProviderUnavailableError, TaskFailedError } from '../../errors.ts';
import { createRedactor } from '../../config/redact.ts';
import type { Usage } from '../../../queues/usage.ts';
import { toReason, toTimeout, withBilled } from '../failed-call.ts';
import { type CallClock, type CallLimits, startCallClock } from '../call-clock.ts';
import type { OnInput } from '../model.ts';
import { type ErrorAnswer, toBilled, toGeminiConnectionError, toGeminiStatusError } from './errors.ts';
import { StreamedContent } from './streamed-content.ts';
import { traceRequest } from '../request-trace.ts';

export interface GeminiOptions extends CallLimits {
  apiKey: string;
  /** Default: the provider's address. */
  baseUrl?: string | undefined;
}

/** Given to the SDKs, so that no variable of the shell changes it. */
export const GEMINI_ADDRESS = 'https://generativelanguage.googleapis.com';

/** How calls are made through one of the SDKs. */
export interface GeminiCalls {
  /**
   * Reads the chunks of a reply to its end, one request.
   * @throws the fleet's errors, with `billed` set; the signal's own reason when it ended the call
   */
  stream(
    model: string,
    open: (signal: AbortSignal) => Promise<AsyncIterable<unknown>>,
    options: { signal: AbortSignal; onInput?: OnInput | undefined },
  ): Promise<StreamedContent>;
  /** Counts the tokens of a prompt, for free. @throws as `stream` */
  count(model: string, send: (signal: AbortSignal) => Promise<unknown>, signal: AbortSignal): Promise<number>;
  /** The error for a reply that breaks a rule of the API. @param usage what it is known to have cost */
  toMalformed(model: string, rule: string, usage: Usage | undefined): TaskFailedError;
}

/**
 * The provider is silent while it reads the prompt and thinks: it sends no pings, and a prompt of a million tokens takes a
 * minute. The first chunk may take so many times the idle limit.
 */
const FIRST_CHUNK_FACTOR = 5;
/** Node ends a connection on which nothing arrives for 300 s. */
const MOST_SILENT_MS = 290_000;

const countSchema = z.looseObject({ totalTokens: z.int().nonnegative() });
const errorSchema = z.looseObject({
  error: z.looseObject({
    code: z.int(),
    message: z.string().default(''),
    status: z.string().nullable().default(null),
    details: z.array(z.unknown()).default([]),
  }),
});

/**
 * Calls of the Gemini API: deadlines, checks and errors are the same for both SDKs.
 * @param readErrorAnswer null where the provider sent no error response
 */
export function createGeminiCalls(
  { apiKey, idleMs, totalMs }: GeminiOptions,
  readErrorAnswer: (thrown: unknown) => ErrorAnswer | null,
): GeminiCalls {
  const redact = createRedactor([apiKey]);
  const firstMs = Math.min(totalMs, MOST_SILENT_MS, FIRST_CHUNK_FACTOR * idleMs);

  /** Makes one request. What it has read is in `reply`, also if it throws. */
  async function call<Result>(
    model: string,
    signal: AbortSignal,
    reply: StreamedContent,
    send: (clock: CallClock) => Promise<Result>,
  ): Promise<Result> {
    if (signal.aborted) throw toReason(signal, 'no'); // neither SDK checks a signal that has fired already
    const clock = startCallClock(signal, { idleMs: firstMs, totalMs });
    const { trace, result } = await traceRequest(() => send(clock));
    clock.stop();
    try {
      return await result;
    } catch (thrown) {
      const { reported, count: chunks } = reply;
      const failed = { model, redact, now: Date.now(), reported, isAnswered: trace.status === 200 };
      const answer = thrown instanceof ErrorChunk ? thrown.answer : readErrorAnswer(thrown);
      if (answer !== null) throw toGeminiStatusError(answer, thrown, failed); // more exact than an abort at the same time
      const billed = trace.sent ? toBilled(failed) : 'no';
      if (signal.aborted) throw toReason(signal, billed);
      if (clock.reached !== null) {
        const after = clock.reached === 'totalMs' ? totalMs : chunks === 0 ? firstMs : idleMs;
        const error = trace.sent
          ? toTimeout(model, clock.reached, after)
          : new ProviderUnavailableError(model, false, `${model}: no connection within ${after} ms`);
        throw withBilled(error, billed);
      }
      throw toGeminiConnectionError(thrown, { trace, chunks }, failed);
    }
  }

  const toMalformed = (model: string, rule: string, usage: Usage | undefined): TaskFailedError => {
    const error = new TaskFailedError('malformed', `${model}: the reply is none of the API: ${redact(rule)}`);
    return withBilled(error, usage ?? 'unknown');
  };

  return {
    async stream(model, open, { signal, onInput }) {
      const reply = new StreamedContent();
      await call(model, signal, reply, async (clock) => {
        try {
          for await (const chunk of await open(clock.signal)) {
            clock.lingerFor(idleMs);
            const error = toErrorChunk(chunk);
            if (error !== null) throw error;
            reply.add(chunk);
            if (reply.count === 1 && reply.reported !== undefined) onInput?.(reply.reported);
          }
        } catch (error) {
          if (!reply.isEnded) throw error;
        }
        if (reply.isCut) throw new Error('the stream ended before the reply did');
      });
      return reply;
    },
    async count(model, send, signal) {
      const body = await call(model, signal, new StreamedContent(), ({ signal: both }) => send(both));
      const parsed = countSchema.safeParse(body);
      if (parsed.success) return parsed.data.totalTokens;
      throw withBilled(toMalformed(model, 'totalTokens is missing', undefined), 'no'); // counting is free
    },
    toMalformed,
  };
}

/** An error inside a stream, where the SDK passes it on as a chunk. */
class ErrorChunk extends Error {
  constructor(readonly answer: ErrorAnswer) {
    super(answer.words);
  }
}

function toErrorChunk(chunk: unknown): ErrorChunk | null {
  const error = errorSchema.safeParse(chunk).data?.error;
  if (error === undefined) return null;
  const { code, message, status, details } = error;
  return new ErrorChunk({ status: code, statusName: status, words: message, details, fromApi: true });
}
