import { z } from 'zod';
import { ProviderUnavailableError, TaskFailedError } from '../../errors.ts';
import { createRedactor } from '../../config/redact.ts';
import { withBilled } from '../anthropic/errors.ts';
import type { ArchiveModel, ArchiveRequest } from '../archive-model.ts';
import { type ErrorAnswer, toGeminiStatusError, toGeminiConnectionError } from './errors.ts';
import { checkContent } from './reply.ts';
import { traceRequest } from '../connection-failure.ts';

export interface GeminiOptions {
  apiKey: string;
  /** Default: the provider's address. */
  baseUrl?: string | undefined;
  /** Total deadline of one call, body included. */
  callTimeoutMs: number;
}

/** Given to the SDKs, so that no variable of the shell changes it. */
export const GEMINI_ADDRESS = 'https://generativelanguage.googleapis.com';

export type Prompt = Pick<ArchiveRequest, 'model' | 'system' | 'prompt'>;

/** The calls that differ between the two SDKs. Each is at most one request. */
export interface GeminiSdk {
  generate(request: ArchiveRequest, signal: AbortSignal): Promise<unknown>;
  count(request: Prompt, signal: AbortSignal): Promise<unknown>;
  /** Null where the provider sent no error response. */
  readErrorAnswer(thrown: unknown): ErrorAnswer | null;
}

const countSchema = z.looseObject({ totalTokens: z.int().nonnegative() });

/** A model behind the Gemini API. Deadlines, checks and errors are the same for both SDKs. */
export function createGeminiModel(sdk: GeminiSdk, { apiKey, callTimeoutMs }: GeminiOptions): ArchiveModel {
  const redact = createRedactor([apiKey]);

  async function call(
    model: string,
    signal: AbortSignal,
    send: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<unknown> {
    signal.throwIfAborted(); // neither SDK checks a signal that has fired already
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), callTimeoutMs);
    const { trace, result } = await traceRequest(() => send(AbortSignal.any([signal, deadline.signal])));
    clearTimeout(timer);
    try {
      return await result;
    } catch (thrown) {
      const failed = { model, redact, now: Date.now() };
      const answer = sdk.readErrorAnswer(thrown);
      if (answer !== null) throw toGeminiStatusError(answer, thrown, failed); // more exact than an abort at the same time
      signal.throwIfAborted();
      if (deadline.signal.aborted) throw toDeadlineError(model, callTimeoutMs, trace.sent);
      throw toGeminiConnectionError(thrown, trace, failed);
    }
  }

  const malformed = (model: string, rule: string): TaskFailedError =>
    new TaskFailedError('malformed', `${model}: the reply is none of the API: ${redact(rule)}`);

  return {
    async ask(request, { signal }) {
      const body = await call(request.model, signal, (both) => sdk.generate(request, both));
      const checked = checkContent(body, request.model);
      if (checked.ok) return checked.reply;
      throw withBilled(malformed(request.model, checked.rule), checked.usage ?? 'unknown');
    },
    async countTokens(request, { signal }) {
      const body = await call(request.model, signal, (both) => sdk.count(request, both));
      const parsed = countSchema.safeParse(body);
      if (parsed.success) return parsed.data.totalTokens;
      throw withBilled(malformed(request.model, 'totalTokens is missing'), 'no'); // counting is free
    },
  };
}

/**
 * The prompt for counting: one of the SDKs refuses a system instruction there, so that both send it as the first text. The
 * count differs by a few tokens.
 */
export function toCountedContents({ system, prompt }: Prompt): { role: string; parts: { text: string }[] }[] {
  return [system, prompt].filter((text) => text !== '').map((text) => ({ role: 'user', parts: [{ text }] }));
}

function toDeadlineError(model: string, callTimeoutMs: number, sent: boolean): ProviderUnavailableError {
  const text = `${model}: no complete reply within ${callTimeoutMs} ms`;
  return withBilled(new ProviderUnavailableError(model, sent, text), sent ? 'unknown' : 'no');
}
