import type { MessagesRequest } from './types.ts';

/** The text blocks of a message, without tool results. */
export function toTexts(content: MessagesRequest['messages'][number]['content']): string[] {
  if (typeof content === 'string') return [content];
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
}
