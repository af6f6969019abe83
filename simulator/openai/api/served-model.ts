import type { Usage } from '../../../queues/usage.ts';
import { ChatApiError } from './api-error.ts';
import { SERVED_CHAT_MODELS, type ServedChatModel } from './model-table.ts';

/** @throws ChatApiError 404 in the provider's words */
export function findChatModel(id: string): ServedChatModel {
  const found = SERVED_CHAT_MODELS.find((model) => model.id === id);
  if (found !== undefined) return found;
  const words = `The model \`${id}\` does not exist or you do not have access to it.`;
  throw new ChatApiError(404, 'invalid_request_error', words, { code: 'model_not_found' });
}

/** What the provider bills for one reply, in nano-dollars. */
export function billChatNanoUsd(model: ServedChatModel, usage: Usage): number {
  const { nanoUsdPerToken: rate, priceStep: step } = model;
  const prompt = usage.input + usage.cache_read + usage.cache_write;
  const isAbove = step !== null && prompt > step.aboveTokens;
  const input = usage.input * rate.input + usage.cache_read * rate.cacheRead + usage.cache_write * rate.cacheWrite;
  const output = usage.output * rate.output;
  return isAbove ? input * step.input + output * step.output : input + output;
}

/** Body of `GET /v1/models`. https://platform.openai.com/docs/api-reference/models/list */
export function toModelList(): object {
  return { object: 'list', data: SERVED_CHAT_MODELS.map(toModelInfo) };
}

export function toModelInfo({ id, vendor }: ServedChatModel): object {
  return { id, object: 'model', created: 1_780_000_000, owned_by: vendor === 'openai' ? 'system' : vendor };
}
