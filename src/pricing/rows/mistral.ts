import { usd, type PriceRow } from './types.ts';

const OF_ALL = {
  vendor: 'mistral',
  api: 'openai',
  abilities: { tools: true, schema: true, thinking: false, images: true },
} as const;

/**
 * Mistral's models. Checked on 2026-11-27 against https://mistral.ai/pricing as `@pydantic/genai-prices` 0.1.8 has it, and
 * https://docs.mistral.ai/getting-started/models. No limit of a reply is published; the one here is a safe part of the window.
 */
export const MISTRAL_ROWS: readonly PriceRow[] = [
  {
    ...OF_ALL,
    id: 'mistral-large-2512',
    contextTokens: 262_144,
    maxOutputTokens: 32_768,
    since: null,
    until: null,
    prices: usd(0.5, 1.5, { read: 0.05 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'mistral-medium-3-5',
    contextTokens: 262_144,
    maxOutputTokens: 32_768,
    since: null,
    until: null,
    prices: usd(1.5, 7.5, { read: 0.15 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'mistral-small-2603',
    contextTokens: 262_144,
    maxOutputTokens: 32_768,
    since: null,
    until: null,
    prices: usd(0.15, 0.6, { read: 0.015 }),
    step: null,
    peak: null,
  },
];
