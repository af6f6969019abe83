import { usd, type PriceRow } from './types.ts';

const OF_ALL = {
  vendor: 'anthropic',
  api: 'anthropic',
  abilities: { tools: true, schema: true, thinking: true, images: true },
} as const;

/**
 * Anthropic's models. Checked on 2026-11-27 against https://platform.claude.com/docs/en/about-claude/pricing and
 * https://platform.claude.com/docs/en/about-claude/models/overview, those of the 5.5 generation above Sonnet against
 * `@pydantic/genai-prices` 0.1.8.
 */
export const ANTHROPIC_ROWS: readonly PriceRow[] = [
  {
    ...OF_ALL,
    id: 'claude-haiku-5-5',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: usd(0.1, 0.5, { read: 0.01, write: 0.125 }),
    step: { tokens: 100_000, factor: 5 },
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'claude-haiku-4-5',
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    since: null,
    until: null,
    prices: usd(1, 5, { read: 0.1, write: 1.25 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'claude-sonnet-5-5',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: usd(2, 10, { read: 0.1, write: 2.5 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'claude-sonnet-4-5',
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    since: null,
    until: '2026-11-30',
    prices: usd(3, 15, { read: 0.3, write: 3.75 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'claude-opus-5-5',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: usd(4, 20, { read: 0.2, write: 5 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'claude-fable-5-1',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    since: null,
    until: null,
    prices: usd(10, 50, { read: 0.25, write: 12.5 }),
    step: null,
    peak: null,
  },
];
