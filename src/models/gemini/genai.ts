import { ApiError, GoogleGenAI, type Schema } from '@google/genai';
import { z } from 'zod';
import type { ArchiveModel } from '../archive-model.ts';
import type { ErrorAnswer } from './errors.ts';
import { createGeminiModel, GEMINI_ADDRESS, type GeminiOptions, type GeminiSdk, toCountedContents } from './adapter.ts';
import { toGeminiSchema } from './schema.ts';

/**
 * One Gemini key through `@google/genai`. All options that a variable of the shell could change are given. `fetch` is given,
 * because the SDK would open a pool of connections for each request. No `retryOptions` and no `timeout`.
 */
export function createGenaiModel(options: GeminiOptions): ArchiveModel {
  const client = new GoogleGenAI({
    apiKey: options.apiKey,
    vertexai: false,
    apiVersion: 'v1beta',
    httpOptions: {
      baseUrl: options.baseUrl ?? GEMINI_ADDRESS,
      fetch: (input: string | URL | Request, init?: RequestInit) => fetch(input, init),
    },
  });
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
    readErrorAnswer,
  };
  return createGeminiModel(sdk, options);
}

const bodySchema = z.looseObject({
  error: z.looseObject({
    message: z.string().default(''),
    status: z.string().optional(),
    details: z.array(z.unknown()).default([]),
  }),
});

/** The SDK puts these words before the body of an error inside a stream. */
const BEFORE_BODY = /^got status: \w+\. /;

/** The SDK's message is the body as JSON; for a body that is no JSON, the SDK's own text around it. */
function readErrorAnswer(thrown: unknown): ErrorAnswer | null {
  if (!(thrown instanceof ApiError)) return null;
  const error = bodySchema.safeParse(parseOrNull(thrown.message.replace(BEFORE_BODY, ''))).data?.error;
  const fromApi = error?.status !== undefined && /^[A-Z_]+$/.test(error.status);
  return {
    status: thrown.status,
    statusName: fromApi ? (error.status ?? null) : null,
    words: error?.message ?? thrown.message,
    details: error?.details ?? [],
    fromApi,
  };
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // then the text itself is the provider's message
  }
}
