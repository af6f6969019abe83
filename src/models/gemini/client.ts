import { ApiError, GoogleGenAI } from '@google/genai';
import { z } from 'zod';
import { GEMINI_ADDRESS, type GeminiOptions } from './call.ts';
import type { ErrorAnswer } from './errors.ts';

/**
 * One Gemini key through `@google/genai`. All options that a variable of the shell could change are given. `fetch` is given,
 * because the SDK would open a pool of connections for each request. No `retryOptions` and no `timeout`.
 */
export function createGenaiClient({ apiKey, baseUrl }: GeminiOptions): GoogleGenAI {
  return new GoogleGenAI({
    apiKey,
    vertexai: false,
    apiVersion: 'v1beta',
    httpOptions: {
      baseUrl: baseUrl ?? GEMINI_ADDRESS,
      fetch: (input: string | URL | Request, init?: RequestInit) => fetch(input, init),
    },
  });
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
export function readGenaiError(thrown: unknown): ErrorAnswer | null {
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
