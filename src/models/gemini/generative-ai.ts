import {
  GoogleGenerativeAI,
  GoogleGenerativeAIFetchError,
  type ResponseSchema,
  type SingleRequestOptions,
} from '@google/generative-ai';
import type { ArchiveModel } from '../archive-model.ts';
import type { ErrorAnswer } from './errors.ts';
import { createGeminiArchive, type GeminiSdk, toCountedContents } from './archive.ts';
import { GEMINI_ADDRESS, type GeminiOptions } from './call.ts';
import { toGeminiSchema } from './schema.ts';

/** One Gemini key through `@google/generative-ai`. No `timeout`: the SDK would not clear its timer. */
export function createGenerativeAiModel(options: GeminiOptions): ArchiveModel {
  const client = new GoogleGenerativeAI(options.apiKey);
  const address: SingleRequestOptions = { baseUrl: options.baseUrl ?? GEMINI_ADDRESS, apiVersion: 'v1beta' };
  const sdk: GeminiSdk = {
    async stream({ model, system, prompt, maxTokens, responseSchema }, signal) {
      // The SDK's type has an enum with the same strings.
      const schema = toGeminiSchema(responseSchema) as unknown as ResponseSchema;
      const generative = client.getGenerativeModel({ model }, address);
      const { stream, response } = await generative.generateContentStream(
        {
          contents: [{ role: 'user', parts: [{ text: prompt }] }],
          ...(system !== '' && { systemInstruction: { role: 'system', parts: [{ text: system }] } }),
          generationConfig: {
            maxOutputTokens: maxTokens,
            responseMimeType: 'application/json',
            responseSchema: schema,
          },
        },
        { ...address, signal },
      );
      response.catch(() => undefined); // the same chunks once more; `stream` throws the same error
      return stream;
    },
    count: (prompt, signal) =>
      client
        .getGenerativeModel({ model: prompt.model }, address)
        .countTokens({ contents: toCountedContents(prompt) }, { ...address, signal }),
    readErrorAnswer,
  };
  return createGeminiArchive(sdk, options);
}

/** The SDK adds address, status and details to the API's message, and drops the name of the status. */
function readErrorAnswer(thrown: unknown): ErrorAnswer | null {
  if (!(thrown instanceof GoogleGenerativeAIFetchError) || thrown.status === undefined) return null;
  const { status, statusText = '', errorDetails = [] } = thrown;
  const before = `[${status} ${statusText}] `;
  const after = errorDetails.length === 0 ? '' : ` ${JSON.stringify(errorDetails)}`;
  const start = thrown.message.indexOf(before);
  const words =
    start < 0 ? thrown.message : thrown.message.slice(start + before.length, thrown.message.length - after.length);
  return { status, statusName: null, words, details: errorDetails, fromApi: words.trim() !== '' };
}
