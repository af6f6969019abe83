import { startOf } from './start-of.ts';

/**
 * The text on one line, cut to `most` UTF-16 code units (default 500). A provider's or a person's words can hold line
 * breaks and control characters, and a terminal must not act on them.
 */
export function toOneLine(text: string, most = 500): string {
  return startOf(text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim(), most);
}
