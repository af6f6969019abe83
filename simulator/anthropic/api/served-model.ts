import type { Usage } from '../../../queues/usage.ts';
import { ApiError } from './api-error.ts';
import { SERVED_MODELS, type ServedModel, toLenient } from './model-table.ts';
import { DEFAULT_RULES, type Rules } from './rules.ts';

/** Where the provider runs the model (SDK `resources/messages/messages.d.ts`, `Usage.inference_geo`). */
export type InferenceGeo = 'us' | 'global';

/** @throws ApiError 404 in the provider's words */
export function findServedModel(id: string, rules: Rules = DEFAULT_RULES): ServedModel {
  const found = SERVED_MODELS.find((model) => model.id === id);
  if (found === undefined) throw new ApiError(404, 'not_found_error', `model: ${id}`);
  return rules === 'real' ? found : toLenient(found);
}

/**
 * What the provider bills for one reply, in nano-dollars. `us` costs a tenth more.
 * https://platform.claude.com/docs/en/about-claude/pricing
 */
export function billNanoUsd(model: ServedModel, usage: Usage, geo: InferenceGeo | null = null): number {
  const prompt = usage.input + usage.cache_write + usage.cache_read;
  const factor = model.priceStep !== null && prompt > model.priceStep.aboveTokens ? model.priceStep.factor : 1;
  const rate = model.nanoUsdPerToken;
  const base =
    usage.input * rate.input +
    usage.cache_write * rate.cacheWrite +
    usage.cache_read * rate.cacheRead +
    usage.output * rate.output;
  return geo === 'us' ? Math.ceil((base * factor * 11) / 10) : base * factor;
}

/** Body of `GET /v1/models`. */
export function toModelPage(rules: Rules = DEFAULT_RULES): object {
  const data = SERVED_MODELS.map(({ id }) => toModelInfo(findServedModel(id, rules)));
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
