import { parseExact } from '../text/exact-json.ts';

/** What a text reports: JSON where it is an object or a list; else the text, without the white space around it. */
export function parseResult(text: string): unknown {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return trimmed;
  try {
    return parseExact(trimmed);
  } catch {
    return trimmed;
  }
}
