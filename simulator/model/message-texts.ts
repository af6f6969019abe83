import type { MessagesRequest } from './types.ts';

/** The texts of a message, tool results left out. */
export function toTexts(content: MessagesRequest['messages'][number]['content']): string[] {
  if (typeof content === 'string') return [content];
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
}
