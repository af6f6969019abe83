import { parseAsWritten, stringifyExact } from '../../src/text/exact-json.ts';
import { isTooDeep } from '../../src/text/json-depth.ts';

/** A result as a page shows it. */
export interface ResultText {
  text: string;
  /** It is a list or an object, each part of it on a line of its own. */
  isJson: boolean;
}

/** A model often writes its JSON so. */
const FENCE = /^```(?:json)?\s*\n(.*)\n```$/s;

/** Null: no text, and all of another kind, is shown as JSON, with its exact numbers: a browser would round them. */
export function toResultText(result: unknown): ResultText {
  if (typeof result !== 'string') return { text: stringifyExact(result ?? null, 2), isJson: isParent(result) };
  const written = readWritten(result);
  return written === null ? { text: result, isJson: false } : { text: stringifyExact(written, 2), isJson: true };
}

/** The list or object that a text is. Null: it is none, or one that is nested too deeply to indent. */
function readWritten(text: string): object | null {
  const bare = text.trim().replace(FENCE, '$1').trim();
  if (!/^(?:\{.*\}|\[.*\])$/s.test(bare) || isTooDeep(bare)) return null;
  try {
    const value = parseAsWritten(bare);
    return isParent(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isParent(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
