import { createRequire } from 'node:module';
import type * as GenaiPrices from '@pydantic/genai-prices';
import { toNanoUsd } from './money.ts';
import type { ModelAbilities, ModelApi } from '../config/model-rows/types.ts';
import type { ModelPrices, Prices } from './rows/types.ts';

const VENDOR_BY_PREFIX: readonly (readonly [prefix: string, vendor: string, api: ModelApi])[] = [
  ['claude-', 'anthropic', 'anthropic'],
  ['gemini-', 'google', 'gemini'],
  ['deepseek-', 'deepseek', 'anthropic'],
  ['gpt-', 'openai', 'openai'],
  ['o3', 'openai', 'openai'],
  ['o4', 'openai', 'openai'],
  ['mistral-', 'mistral', 'openai'],
  ['ministral-', 'mistral', 'openai'],
  ['magistral-', 'mistral', 'openai'],
  ['codestral-', 'mistral', 'openai'],
];

/** Of the vendors' other models: they have text prices, too, and hold no conversation with tools. */
const NO_CHAT = /image|audio|realtime|live|embed|ocr|transcribe|tts|moderation/;

/** The list names no abilities: tools are what every listed chat model has. */
const SAFE_ABILITIES: ModelAbilities = { tools: true, schema: false, thinking: false, images: false };
const ANTHROPIC_ABILITIES: ModelAbilities = { tools: true, schema: true, thinking: true, images: true };

/** The list has no output limits; every listed model allows this one. */
const SAFE_OUTPUT_TOKENS = 4_096;
/** Where the list has no context window: the smallest of those it has. */
const SAFE_CONTEXT_TOKENS = 32_768;

interface ListedModel extends ModelPrices {
  api: ModelApi;
  abilities: ModelAbilities;
}

/**
 * Prices of a model that is not in the fleet's own table, from `@pydantic/genai-prices`.
 *
 * That list matches similar ids (`claude-sonnet-5-9` would get the price of `claude-sonnet-5`), so an id counts as known
 * only if it is the listed id itself, its `-latest` or a dated snapshot of it.
 * @returns undefined where the list has no price for text in and out
 */
export function findGenaiModel(id: string, pricedAt: Date): ListedModel | undefined {
  const [, vendor, api] = VENDOR_BY_PREFIX.find(([prefix]) => id.startsWith(prefix)) ?? [];
  if (vendor === undefined || api === undefined || NO_CHAT.test(id)) return undefined;
  const { model, model_price: inForce } =
    loadList().calcPrice({ input_tokens: 1 }, id, { providerId: vendor, timestamp: pricedAt }) ?? {};
  if (model === undefined || inForce === undefined || !isSameModel(id, model.id)) return undefined;
  const prices = toPrices(inForce, (price) => (typeof price === 'number' ? price : price.base));
  if (prices === undefined) return undefined;
  const priceStepTokens = findStep(inForce);
  return {
    id,
    vendor,
    api,
    abilities: vendor === 'anthropic' ? ANTHROPIC_ABILITIES : SAFE_ABILITIES,
    contextTokens: model.context_window ?? SAFE_CONTEXT_TOKENS,
    maxOutputTokens: SAFE_OUTPUT_TOKENS,
    since: null,
    until: null,
    priceStepTokens,
    prices,
    pricesAboveStep: priceStepTokens === null ? null : (toPrices(inForce, toHighest) ?? null),
    peakFactor: toPeakFactor(model, prices),
  };
}

/** Loaded on first use: the list takes 50 ms and 20 MB, and few fleets need it. */
function loadList(): typeof GenaiPrices {
  const load: (name: string) => typeof GenaiPrices = createRequire(import.meta.url);
  return load('@pydantic/genai-prices');
}

function isSameModel(asked: string, listed: string): boolean {
  const base = (id: string): string => id.replace(/-(\d{8}|latest)$/, '');
  return asked === listed || base(asked) === base(listed);
}

type ListedPrice = number | GenaiPrices.TieredPrices;

/** A price that is not listed is that of input, so that no kind of token is free. */
function toPrices(listed: GenaiPrices.ModelPrice, pick: (price: ListedPrice) => number): Prices | undefined {
  const { input_mtok: input, output_mtok: output, cache_write_mtok: write, cache_read_mtok: read } = listed;
  if (input === undefined || output === undefined) return undefined;
  const toNano = (price: ListedPrice): number => Math.ceil(toNanoUsd(pick(price)) / 1_000_000);
  return {
    input: toNano(input),
    cacheWrite: toNano(write ?? input),
    cacheRead: toNano(read ?? input),
    output: toNano(output),
  };
}

function toHighest(price: ListedPrice): number {
  return typeof price === 'number' ? price : Math.max(price.base, ...price.tiers.map((tier) => tier.price));
}

function findStep(listed: GenaiPrices.ModelPrice): number | null {
  const starts = Object.values(listed).flatMap((price) =>
    typeof price === 'object' ? price.tiers.map((tier) => tier.start) : [],
  );
  return starts.length === 0 ? null : Math.min(...starts);
}

function toPeakFactor(model: GenaiPrices.ModelInfo, now: Prices): number {
  const rows = Array.isArray(model.prices) ? model.prices : [];
  const hourly = rows
    .filter((row) => row.constraint?.type === 'time_of_date')
    .map((row) => toPrices(row.prices, toHighest));
  const ratios = hourly.flatMap((prices) =>
    prices === undefined
      ? []
      : [prices.input / now.input, prices.cacheRead / now.cacheRead, prices.output / now.output],
  );
  return Math.max(1, ...ratios.map((ratio) => Math.ceil(ratio)));
}
