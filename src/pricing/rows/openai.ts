import { usd, type PriceRow } from './types.ts';

const OF_ALL = {
  vendor: 'openai',
  api: 'openai',
  abilities: { tools: true, schema: true, thinking: true, images: true },
} as const;

/**
 * OpenAI's models. Checked on 2026-11-27 against https://developers.openai.com/api/docs/pricing as `@pydantic/genai-prices` 0.1.8
 * has it; reply limits of https://developers.openai.com/api/docs/models. A prompt above 272,000 tokens costs more as a whole.
 */
export const OPENAI_ROWS: readonly PriceRow[] = [
  {
    ...OF_ALL,
    id: 'gpt-6-luna',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: usd(0.1, 0.5, { read: 0.01, write: 0.125 }),
    step: { tokens: 272_000, prices: usd(0.2, 0.75, { read: 0.02, write: 0.25 }) },
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'gpt-6-sol',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: usd(2, 10, { read: 0.2, write: 2.5 }),
    step: { tokens: 272_000, prices: usd(4, 15, { read: 0.4, write: 5.0 }) },
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'gpt-6-astra',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: usd(10, 50, { read: 1, write: 12.5 }),
    step: { tokens: 272_000, prices: usd(20, 75, { read: 2, write: 25.0 }) },
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'gpt-5.4-mini',
    contextTokens: 400_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: usd(0.75, 4.5, { read: 0.075 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'gpt-5.4-nano',
    contextTokens: 400_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: usd(0.2, 1.25, { read: 0.02 }),
    step: null,
    peak: null,
  },
];
