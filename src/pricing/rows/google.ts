import { usd, type PriceRow } from './types.ts';

const OF_ALL = {
  vendor: 'google',
  api: 'gemini',
  abilities: { tools: true, schema: true, thinking: true, images: true },
} as const;

/**
 * Google's models. Checked on 2026-11-27 against https://ai.google.dev/gemini-api/docs/pricing and
 * https://ai.google.dev/gemini-api/docs/models, the newer Flash and Pro models against `@pydantic/genai-prices` 0.1.8.
 */
export const GOOGLE_ROWS: readonly PriceRow[] = [
  {
    ...OF_ALL,
    id: 'gemini-3.5-flash-lite',
    contextTokens: 1_000_000,
    maxOutputTokens: 64_000,
    since: null,
    until: null,
    prices: usd(0.3, 2.5, { read: 0.03 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'gemini-3.6-flash',
    contextTokens: 1_000_000,
    maxOutputTokens: 64_000,
    since: null,
    until: null,
    prices: usd(0.75, 3.75, { read: 0.075 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'gemini-3.6-flash',
    contextTokens: 1_000_000,
    maxOutputTokens: 64_000,
    since: '2027-01-01',
    until: null,
    prices: usd(1.5, 7.5, { read: 0.15 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'gemini-3.8-flash',
    contextTokens: 1_000_000,
    maxOutputTokens: 64_000,
    since: null,
    until: null,
    prices: usd(0.75, 3.75, { read: 0.075 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'gemini-3.8-flash',
    contextTokens: 1_000_000,
    maxOutputTokens: 64_000,
    since: '2027-01-01',
    until: null,
    prices: usd(1.5, 7.5, { read: 0.15 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'gemini-3.1-pro-preview',
    contextTokens: 1_000_000,
    maxOutputTokens: 64_000,
    since: null,
    until: null,
    prices: usd(2, 12, { read: 0.2 }),
    step: { tokens: 200_000, prices: usd(4, 18, { read: 0.4 }) },
    peak: null,
  },
];
