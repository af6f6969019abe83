import type { Usage } from '../../../queues/usage.ts';
import type { ServedChatModel } from '../api/model-table.ts';
import type { FinishedChat } from './finish-reply.ts';

/** What all parts of an answer share. */
export interface CompletionHead {
  id: string;
  created: number;
  model: string;
}

/** The same request gets the same id. Only the provider's log distinguishes a second paid call from a replay. */
export function toHead(requestHash: string, model: string, now: number): CompletionHead {
  return { id: `chatcmpl-sim${requestHash.slice(0, 24)}`, created: Math.floor(now / 1_000), model };
}

/** The body of a 200. https://platform.openai.com/docs/api-reference/chat/object */
export function toCompletion(head: CompletionHead, reply: FinishedChat, usage: object | null): object {
  const { content, refusal, reasoning, calls, finishReason } = reply;
  const message = {
    role: 'assistant',
    content,
    refusal,
    ...(reasoning !== null && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls.map(toToolCall) }),
  };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finishReason }];
  return { ...toOwn(head, 'chat.completion'), choices, ...(usage !== null && { usage }) };
}

export function toOwn({ id, created, model }: CompletionHead, object: string): object {
  return { id, object, created, model, service_tier: 'default', system_fingerprint: 'fp_simulated' };
}

function toToolCall({ id, name, arguments: json }: FinishedChat['calls'][number]): object {
  return { id, type: 'function', function: { name, arguments: json } };
}

/**
 * The usage as each vendor reports it. DeepSeek: https://api-docs.deepseek.com/guides/kv_cache; Mistral's cached tokens:
 * https://docs.mistral.ai/api/endpoint/chat
 */
export function toChatUsage(model: ServedChatModel, usage: Usage, reasoningTokens: number): object {
  const prompt = usage.input + usage.cache_read + usage.cache_write;
  const totals = { prompt_tokens: prompt, completion_tokens: usage.output, total_tokens: prompt + usage.output };
  if (model.vendor === 'mistral') return { ...totals, prompt_tokens_details: { cached_tokens: usage.cache_read } };
  const details = { reasoning_tokens: reasoningTokens };
  if (model.vendor === 'deepseek') {
    return {
      ...totals,
      prompt_tokens_details: { cached_tokens: usage.cache_read },
      completion_tokens_details: details,
      prompt_cache_hit_tokens: usage.cache_read,
      prompt_cache_miss_tokens: usage.input,
    };
  }
  return {
    ...totals,
    prompt_tokens_details: {
      cached_tokens: usage.cache_read,
      audio_tokens: 0,
      ...(model.billsCacheWrites && { cache_write_tokens: usage.cache_write }),
    },
    completion_tokens_details: {
      ...details,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
