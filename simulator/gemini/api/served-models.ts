import type { Usage } from '../../../queues/usage.ts';
import { unknownModel } from './google-error.ts';

/** A model as the simulated provider serves and bills it. */
export interface ServedGemini {
  id: string;
  displayName: string;
  inputTokenLimit: number;
  outputTokenLimit: number;
  /** Whether it thinks without being told to, and takes a `thinkingLevel` (Gemini 3). */
  alwaysThinks: boolean;
  /** What `thinkingLevel` may be; empty: it takes a budget instead. https://ai.google.dev/gemini-api/docs/thinking */
  levels: readonly string[];
  nanoUsdPerToken: { input: number; cacheRead: number; output: number };
}

/**
 * Models and prices, apart from the ledger's catalog on purpose: tests check the catalog against this bill.
 * $1 per million tokens is 1,000 nano-dollars per token.
 * https://ai.google.dev/gemini-api/docs/models and /gemini-api/docs/pricing
 */
const SERVED_MODELS: readonly ServedGemini[] = [
  {
    id: 'gemini-3.5-flash-lite',
    displayName: 'Gemini 3.5 Flash-Lite',
    inputTokenLimit: 1_000_000,
    outputTokenLimit: 64_000,
    alwaysThinks: true,
    levels: ['minimal', 'low', 'medium', 'high'],
    nanoUsdPerToken: { input: 300, cacheRead: 30, output: 2_500 },
  },
  {
    id: 'gemini-3.8-flash', // half its price until the end of 2026
    displayName: 'Gemini 3.8 Flash',
    inputTokenLimit: 1_048_576,
    outputTokenLimit: 65_536,
    alwaysThinks: true,
    levels: ['low', 'medium', 'high'],
    nanoUsdPerToken: { input: 750, cacheRead: 75, output: 3_750 },
  },
  {
    id: 'gemini-2.5-flash-lite',
    displayName: 'Gemini 2.5 Flash-Lite',
    inputTokenLimit: 1_048_576,
    outputTokenLimit: 65_536,
    alwaysThinks: false,
    levels: [],
    nanoUsdPerToken: { input: 100, cacheRead: 10, output: 400 },
  },
];

/** @throws GoogleError 404 in the provider's words */
export function findServedGemini(id: string): ServedGemini {
  const found = SERVED_MODELS.find((model) => model.id === id);
  if (found === undefined) throw unknownModel(id);
  return found;
}

/** What the paid tier bills for one reply, in nano-dollars. */
export function billGeminiNanoUsd(model: ServedGemini, usage: Usage): number {
  const { input, cacheRead, output } = model.nanoUsdPerToken;
  return usage.input * input + usage.cache_read * cacheRead + usage.output * output;
}

/** Body of `GET /v1beta/models`. */
export function toGeminiPage(): object {
  return { models: SERVED_MODELS.map(toGeminiInfo) };
}

/** Body of `GET /v1beta/models/:id`. */
export function toGeminiInfo(model: ServedGemini): object {
  return {
    name: `models/${model.id}`,
    version: '001',
    displayName: model.displayName,
    inputTokenLimit: model.inputTokenLimit,
    outputTokenLimit: model.outputTokenLimit,
    supportedGenerationMethods: ['generateContent', 'countTokens'],
  };
}
