import type { ModelReply } from '../../models/model.ts';

/** Stop reasons of a reply that the model ended itself. Any other leaves half a text, or none. */
const WHOLE = new Set(['end_turn', 'stop_sequence']);

/** Whether the model ended the reply itself. */
export function isWhole({ stopReason }: ModelReply): boolean {
  return WHOLE.has(stopReason);
}

/** The text of a reply, without its thinking. */
export function toReplyText(reply: ModelReply): string {
  return reply.content
    .filter((block) => block.type === 'text')
    .map((block) => block.text)
    .join('\n')
    .trim();
}

/** The reply as a message of its own repair: without thinking, and with some text, because the provider refuses an empty message. */
export function withoutThinking(reply: ModelReply): ModelReply {
  const content = reply.content.filter((block) => block.type === 'text');
  if (toReplyText(reply) !== '') return { ...reply, content };
  return { ...reply, content: [{ type: 'text', text: '(nothing)' }] };
}
