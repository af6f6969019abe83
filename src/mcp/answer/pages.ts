import { startOf } from '../../text/start-of.ts';
import { countTokens } from './size.ts';

/** Most tokens of a page. An answer holds it twice: as text, and in its structured content. */
export const PAGE_TOKENS = 3_400;
/** A page grows by so many UTF-16 code units. */
const STEP = 256;

/** Cuts a text into pages of at most `most` tokens. The same text has the same pages. An empty text has one. */
export function cutPages(text: string, most = PAGE_TOKENS): string[] {
  const pages: string[] = [];
  for (let from = 0; from < text.length || pages.length === 0;) {
    const end = findEnd(text, from, most);
    const page = fitStart(startOf(text.slice(from, end + 1), end - from), most);
    pages.push(page);
    from += page.length;
  }
  return pages;
}

/** About where a page ends: the tokens of its pieces are those of the page, or nearly. */
function findEnd(text: string, from: number, most: number): number {
  let end = from;
  for (let tokens = 0; end < text.length; end += STEP) {
    tokens += countTokens(text.slice(end, end + STEP));
    if (tokens > most) break;
  }
  return end === from ? from + STEP : end;
}

/** A start of a text that has at most so many tokens, nearly the longest one; of any text at least one character. */
export function fitStart(text: string, most: number): string {
  let length = text.length;
  for (let tokens = countTokens(text); tokens > most && length > 1; tokens = countTokens(text.slice(0, length))) {
    length = Math.floor(length * Math.min(0.97, most / tokens));
  }
  const start = startOf(text, length);
  return start === '' ? text.slice(0, 2) : start; // a character of two code units
}

/** As many of the lines, from the first, as fit together into so many tokens. */
export function fitLines(lines: readonly string[], most: number): string[] {
  let tokens = 0;
  const fitting: string[] = [];
  for (const line of lines) {
    tokens += countTokens(line);
    if (tokens > most) break;
    fitting.push(line);
  }
  return fitting;
}
