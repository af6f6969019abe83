import { toWellFormed } from '../../text/well-formed.ts';
import type { ArchiveModel, ArchiveRequest } from '../archive-model.ts';
import { createGeminiCalls, type GeminiOptions } from './call.ts';
import type { ErrorAnswer } from './errors.ts';
import { checkContent } from './reply.ts';

export type Prompt = Pick<ArchiveRequest, 'model' | 'system' | 'prompt'>;

/** The calls that differ between the two SDKs. Each is at most one request. */
export interface GeminiSdk {
  /** The chunks of a reply, as they arrive. */
  stream(request: ArchiveRequest, signal: AbortSignal): Promise<AsyncIterable<unknown>>;
  count(request: Prompt, signal: AbortSignal): Promise<unknown>;
  /** Null where the provider sent no error response. */
  readErrorAnswer(thrown: unknown): ErrorAnswer | null;
}

/** A librarian's model behind the Gemini API: a question, an answer, no tools. */
export function createGeminiArchive(sdk: GeminiSdk, options: GeminiOptions): ArchiveModel {
  const calls = createGeminiCalls(options, (thrown) => sdk.readErrorAnswer(thrown));
  return {
    async ask(request, { signal, onInput }) {
      const { model } = request;
      const open = (both: AbortSignal): Promise<AsyncIterable<unknown>> => sdk.stream(toWellFormed(request), both);
      const reply = await calls.stream(model, open, { signal, onInput });
      const checked = checkContent(reply.toBody(), model);
      if (checked.ok) return checked.reply;
      throw calls.toMalformed(model, checked.rule, checked.usage);
    },
    countTokens: (request, { signal }) =>
      calls.count(request.model, (both) => sdk.count(toWellFormed(request), both), signal),
  };
}

/**
 * The prompt for counting: one of the SDKs refuses a system instruction there, so that both send it as the first text. The
 * count differs by a few tokens.
 */
export function toCountedContents({ system, prompt }: Prompt): { role: string; parts: { text: string }[] }[] {
  return [system, prompt].filter((text) => text !== '').map((text) => ({ role: 'user', parts: [{ text }] }));
}
