import type { GoogleGenAI } from '@google/genai';
import { TaskFailedError } from '../../errors.ts';
import type { Model, ModelReply, ModelRequest, OnInput } from '../model.ts';
import { createGeminiCalls, type GeminiOptions } from './call.ts';
import { createGenaiClient, readGenaiError } from './client.ts';
import { toCountedRequest, toGeminiRequest } from './request.ts';
import { checkToolReply } from './tool-reply.ts';

/** "Function call is missing a thought_signature in functionCall parts", "Corrupted thought signature." Neither is billed. */
const SIGNATURE_WORDS = /thought[ _]signature/i;

/**
 * A model with tools behind the Gemini API, with streaming. It retries nothing that may be billed. Where the provider refuses
 * the signatures of a conversation, it is sent once more with the placeholder in their place.
 */
export function createGeminiModel(options: GeminiOptions): Model {
  const client: GoogleGenAI = createGenaiClient(options);
  const calls = createGeminiCalls(options, readGenaiError);

  async function callOnce(
    request: ModelRequest,
    more: { signal: AbortSignal; onInput?: OnInput | undefined },
    withSignatures: boolean,
  ): Promise<ModelReply> {
    const { model } = request;
    const open = (both: AbortSignal): Promise<AsyncIterable<unknown>> =>
      client.models.generateContentStream(toGeminiRequest(request, both, { model, withSignatures }));
    const reply = await calls.stream(model, open, more);
    const checked = checkToolReply(reply.toBody(), model);
    if (checked.ok) return checked.reply;
    throw calls.toMalformed(model, checked.rule, checked.usage);
  }

  return {
    async call(request, { signal, onInput }) {
      try {
        return await callOnce(request, { signal, onInput }, true);
      } catch (error) {
        const isRefused = error instanceof TaskFailedError && error.reason === 'request' && error.billed === 'no';
        if (!isRefused || !SIGNATURE_WORDS.test(error.message)) throw error;
        return callOnce(request, { signal, onInput }, false);
      }
    },
    countTokens(request, { signal }) {
      const { model } = request;
      const send = (abortSignal: AbortSignal): Promise<unknown> =>
        client.models.countTokens({ model, contents: toCountedRequest(request, { model }), config: { abortSignal } });
      return calls.count(model, send, signal);
    },
  };
}
