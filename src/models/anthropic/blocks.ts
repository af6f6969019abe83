import { type ContentBlock, type Message, readOpaque } from '../format.ts';
import type { ModelReply } from '../model.ts';

/**
 * The messages as the API takes them: it refuses a field that it does not know. Thinking that another API or model wrote is
 * left out; an assistant's message that held nothing else goes, and its neighbours stay, as the API joins two of one role.
 * @param model that is asked
 */
export function toMessages(messages: readonly Message[], model: string): Message[] {
  return messages.flatMap((message) => {
    const { role, content } = message;
    if (typeof content === 'string' || !content.some(hasOpaque)) return [message];
    const blocks = content.flatMap((block) => toOwn(block, model));
    return blocks.length === 0 ? [] : [{ role, content: blocks }];
  });
}

/**
 * Marks the thinking of a reply as the model's own. Other vendors bind it to nothing, and refuse a conversation that lacks it, so
 * it is kept where the conversation is trimmed.
 */
export function withOwnThinking(reply: ModelReply, model: string): ModelReply {
  const opaque = { api: 'anthropic', model } as const;
  const content = reply.content.map((block) => (block.type === 'thinking' ? { ...block, opaque } : block));
  return { ...reply, content };
}

/** Whether a call of a tool stands without the thinking that led to it, as after a handover from another model. */
export function lacksThinking(messages: readonly Message[]): boolean {
  return messages.some(
    ({ role, content }) =>
      role === 'assistant' &&
      typeof content !== 'string' &&
      content.some(({ type }) => type === 'tool_use') &&
      content.every(({ type }) => type !== 'thinking'),
  );
}

function hasOpaque(block: ContentBlock): boolean {
  return 'opaque' in block && block.opaque !== undefined;
}

function toOwn(block: ContentBlock, model: string): ContentBlock[] {
  if (!('opaque' in block)) return [block];
  if (block.type === 'thinking' && readOpaque(block, { api: 'anthropic', model }) === null) return [];
  const { opaque: _, ...bare } = block;
  return [bare];
}
