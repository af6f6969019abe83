import { z } from 'zod';
import type { Usage } from '../../../queues/usage.ts';

const tokens = z.int().nonnegative();

const usageSchema = z.object({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  total_tokens: tokens.nullish(),
  prompt_tokens_details: z.object({ cached_tokens: tokens.nullish(), cache_write_tokens: tokens.nullish() }).nullish(),
  prompt_cache_hit_tokens: tokens.nullish(), // DeepSeek: https://api-docs.deepseek.com/guides/kv_cache
  num_cached_tokens: tokens.nullish(), // Mistral, beside or instead of the details
});

/**
 * The usage that a server reports; undefined: none, or it cannot be read. The prompt's tokens include the cached ones. Where the
 * total is more than prompt and reply, the rest is reasoning that the reply's count leaves out, as of xAI.
 * https://platform.openai.com/docs/api-reference/chat/object#chat-object-usage
 */
export function readChatUsage(reported: unknown): Usage | undefined {
  const parsed = usageSchema.safeParse(reported);
  if (!parsed.success) return undefined;
  const {
    prompt_tokens: prompt,
    completion_tokens: said,
    total_tokens: total,
    prompt_tokens_details: details,
  } = parsed.data;
  const hits = details?.cached_tokens ?? parsed.data.prompt_cache_hit_tokens ?? parsed.data.num_cached_tokens ?? 0;
  const cache_read = Math.min(prompt, hits);
  const cache_write = Math.min(prompt - cache_read, details?.cache_write_tokens ?? 0);
  return {
    input: prompt - cache_read - cache_write,
    cache_read,
    cache_write,
    output: Math.max(said, (total ?? 0) - prompt),
  };
}
