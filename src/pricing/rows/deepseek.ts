import { usd, type PriceRow } from './types.ts';

const OF_ALL = {
  vendor: 'deepseek',
  api: 'anthropic',
  abilities: { tools: true, schema: false, thinking: true, images: false },
} as const;

/** Chinese public holidays are off-peak, too; here they cost the peak price, so that no call is booked too low. */
const PEAK: NonNullable<PriceRow['peak']> = {
  factor: 2,
  hours: [
    [1, 4],
    [6, 10],
  ],
};

/**
 * DeepSeek's models, by their Anthropic-compatible API. Checked on 2026-11-27 against
 * https://api-docs.deepseek.com/quick_start/pricing and https://api-docs.deepseek.com/guides/anthropic_api.
 */
export const DEEPSEEK_ROWS: readonly PriceRow[] = [
  {
    ...OF_ALL,
    id: 'deepseek-flash',
    contextTokens: 1_000_000,
    maxOutputTokens: 384_000,
    since: null,
    until: null,
    prices: usd(0.15, 0.6, { read: 0.003 }),
    step: null,
    peak: PEAK,
  },
  {
    ...OF_ALL,
    id: 'deepseek-v4-flash',
    contextTokens: 1_000_000,
    maxOutputTokens: 384_000,
    since: null,
    until: null,
    prices: usd(0.14, 0.28, { read: 0.0028 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'deepseek-v4-flash',
    contextTokens: 1_000_000,
    maxOutputTokens: 384_000,
    since: '2026-08-17',
    until: null,
    prices: usd(0.22, 0.66, { read: 0.007 }),
    step: null,
    peak: PEAK,
  },
  {
    ...OF_ALL,
    id: 'deepseek-v4-pro',
    contextTokens: 1_000_000,
    maxOutputTokens: 384_000,
    since: null,
    until: null,
    prices: usd(0.435, 0.87, { read: 0.003625 }),
    step: null,
    peak: null,
  },
  {
    ...OF_ALL,
    id: 'deepseek-v4-pro',
    contextTokens: 1_000_000,
    maxOutputTokens: 384_000,
    since: '2026-08-17',
    until: null,
    prices: usd(0.66, 1.98, { read: 0.022 }),
    step: null,
    peak: PEAK,
  },
];
