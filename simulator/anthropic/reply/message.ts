import type Anthropic from '@anthropic-ai/sdk';
import type { Usage } from '../../../queues/usage.ts';
import type { InferenceGeo } from '../api/served-model.ts';
import type { FinishedReply } from './finish-reply.ts';

/** The body of a 200 (SDK `resources/messages/messages.d.ts`, `Message`). */
export function toMessage(
  reply: FinishedReply,
  model: string,
  usage: Usage,
  { requestHash, geo }: { requestHash: string; geo: InferenceGeo | null },
): Anthropic.Message {
  const details =
    reply.stopReason === 'refusal'
      ? { type: 'refusal' as const, category: null, explanation: reply.stopExplanation }
      : null;
  return {
    id: toMessageId(requestHash),
    type: 'message',
    role: 'assistant',
    model,
    content: reply.content,
    stop_reason: reply.stopReason,
    stop_sequence: reply.stopSequence,
    stop_details: details,
    container: null,
    diagnostics: null,
    usage: {
      input_tokens: usage.input,
      cache_creation_input_tokens: usage.cache_write,
      cache_read_input_tokens: usage.cache_read,
      cache_creation: { ephemeral_5m_input_tokens: usage.cache_write, ephemeral_1h_input_tokens: 0 },
      output_tokens: usage.output,
      output_tokens_details: reply.thinkingTokens === 0 ? null : { thinking_tokens: reply.thinkingTokens },
      server_tool_use: null,
      service_tier: 'standard',
      inference_geo: geo,
      speed: null,
    },
  };
}

/** The same request gets the same id. Only the provider's log distinguishes a second paid call from a replay. */
export function toMessageId(requestHash: string): string {
  return `msg_sim_${requestHash.slice(0, 24)}`;
}
