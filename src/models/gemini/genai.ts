import type { Schema } from '@google/genai';
import type { ArchiveModel } from '../archive-model.ts';
import { createGeminiArchive, type GeminiSdk, toCountedContents } from './archive.ts';
import type { GeminiOptions } from './call.ts';
import { createGenaiClient, readGenaiError } from './client.ts';
import { toGeminiSchema } from './schema.ts';

/** A librarian's model through `@google/genai`. */
export function createGenaiModel(options: GeminiOptions): ArchiveModel {
  const client = createGenaiClient(options);
  const sdk: GeminiSdk = {
    stream: ({ model, system, prompt, maxTokens, responseSchema }, abortSignal) =>
      client.models.generateContentStream({
        model,
        contents: [{ role: 'user', parts: [{ text: prompt }] }],
        config: {
          abortSignal,
          ...(system !== '' && { systemInstruction: { role: 'system', parts: [{ text: system }] } }),
          maxOutputTokens: maxTokens,
          responseMimeType: 'application/json',
          // The SDK's type has an enum with the same strings.
          responseSchema: toGeminiSchema(responseSchema) as unknown as Schema,
        },
      }),
    count: (prompt, abortSignal) =>
      client.models.countTokens({
        model: prompt.model,
        contents: toCountedContents(prompt),
        config: { abortSignal },
      }),
    readErrorAnswer: readGenaiError,
  };
  return createGeminiArchive(sdk, options);
}
