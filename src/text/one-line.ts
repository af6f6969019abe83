import { startOf } from './start-of.ts';

/**
 * The text on one line, cut to `most` UTF-16 code units (default 500). A provider's or a person's words can hold line
 * breaks and control characters, and a terminal must not act on them.
 */
export function toOneLine(text: string, most = 500): string {
  if (most === Infinity) return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  let line = '';
  for (const [word] of text.matchAll(/[^\s\p{Cc}]+/gu)) {
    line = line === '' ? word : `${line} ${word}`;
    if (line.length > most) break; // the rest may be megabytes, and is not shown
  }
  return startOf(line, most);
}
