import type { Usage } from '../../../queues/usage.ts';
import { ApiError } from './api-error.ts';

/** A model as the simulated provider serves and bills it. */
export interface ServedModel {
  id: string;
  displayName: string;
  line: 'haiku' | 'sonnet' | 'other';
  lifecycle: 'active' | 'deprecated';
  /** RFC 3339, or null while none is scheduled. */
  retiresAt: string | null;
  /** Tokens of prompt and reply together. */
  contextTokens: number;
  maxOutputTokens: number;
  /** Whether `tool_choice` of type `any` or `tool` is accepted. */
  forcedToolChoice: boolean;
  nanoUsdPerToken: { input: number; output: number; cacheWrite: number; cacheRead: number };
  /** Prompts above this many tokens cost `factor` times as much, for the whole request. */
  priceStep: { aboveTokens: number; factor: number } | null;
}

/**
 * Models and prices, apart from the ledger's catalog on purpose: tests check the catalog against this bill, and a shared table
 * would repeat its mistakes. $1 per million tokens is 1,000 nano-dollars per token. The windows of the 5.5 models are assumed.
 * https://docs.claude.com/en/docs/about-claude/models/overview and /en/docs/about-claude/pricing
 */
const SERVED_MODELS: readonly ServedModel[] = [
  {
    id: 'claude-haiku-5-5',
    displayName: 'Claude Haiku 5.5',
    line: 'haiku',
    lifecycle: 'active',
    retiresAt: null,
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    forcedToolChoice: true,
    nanoUsdPerToken: { input: 100, output: 500, cacheWrite: 125, cacheRead: 10 },
    priceStep: { aboveTokens: 100_000, factor: 5 },
  },
  {
    id: 'claude-haiku-4-5',
    displayName: 'Claude Haiku 4.5',
    line: 'haiku',
    lifecycle: 'active',
    retiresAt: null,
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    forcedToolChoice: true,
    nanoUsdPerToken: { input: 1_000, output: 5_000, cacheWrite: 1_250, cacheRead: 100 },
    priceStep: null,
  },
  {
    id: 'claude-sonnet-5-5',
    displayName: 'Claude Sonnet 5.5',
    line: 'sonnet',
    lifecycle: 'active',
    retiresAt: null,
    contextTokens: 1_000_000,
    maxOutputTokens: 64_000,
    forcedToolChoice: false,
    nanoUsdPerToken: { input: 2_000, output: 10_000, cacheWrite: 2_500, cacheRead: 100 },
    priceStep: null,
  },
  {
    id: 'claude-sonnet-4-5',
    displayName: 'Claude Sonnet 4.5',
    line: 'sonnet',
    lifecycle: 'deprecated',
    retiresAt: '2026-11-30T00:00:00Z',
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    forcedToolChoice: true,
    nanoUsdPerToken: { input: 3_000, output: 15_000, cacheWrite: 3_750, cacheRead: 300 },
    priceStep: null,
  },
  {
    id: 'deepseek-flash', // another vendor's model behind the same API, at its price outside peak hours
    displayName: 'DeepSeek Flash',
    line: 'other',
    lifecycle: 'active',
    retiresAt: null,
    contextTokens: 1_000_000,
    maxOutputTokens: 384_000,
    forcedToolChoice: true,
    nanoUsdPerToken: { input: 150, output: 600, cacheWrite: 150, cacheRead: 3 },
    priceStep: null,
  },
];

/** @throws ApiError 404 in the provider's words */
export function findServedModel(id: string): ServedModel {
  const found = SERVED_MODELS.find((model) => model.id === id);
  if (found === undefined) throw new ApiError(404, 'not_found_error', `model: ${id}`);
  return found;
}

/** What the provider bills for one reply, in nano-dollars. */
export function billNanoUsd(model: ServedModel, usage: Usage): number {
  const prompt = usage.input + usage.cache_write + usage.cache_read;
  const factor = model.priceStep !== null && prompt > model.priceStep.aboveTokens ? model.priceStep.factor : 1;
  const rate = model.nanoUsdPerToken;
  const base =
    usage.input * rate.input +
    usage.cache_write * rate.cacheWrite +
    usage.cache_read * rate.cacheRead +
    usage.output * rate.output;
  return base * factor;
}

/** Body of `GET /v1/models`. */
export function toModelPage(): object {
  const data = SERVED_MODELS.map(toModelInfo);
  return { data, first_id: SERVED_MODELS[0]?.id ?? null, last_id: SERVED_MODELS.at(-1)?.id ?? null, has_more: false };
}

/** Body of `GET /v1/models/:id` (SDK `resources/models.d.ts`). */
export function toModelInfo(model: ServedModel): object {
  return {
    type: 'model',
    id: model.id,
    display_name: model.displayName,
    created_at: '1970-01-01T00:00:00Z', // the API's own value where a date is unknown
    capabilities: null,
    lifecycle: model.lifecycle,
    deprecated_at: null,
    retires_at: model.retiresAt,
    line: model.line,
    max_input_tokens: model.contextTokens,
    max_tokens: model.maxOutputTokens,
  };
}
