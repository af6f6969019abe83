import { parseAsWritten, stringifyExact } from '../../src/text/exact-json.ts';
import { isTooDeep, toJsonDepth } from '../../src/text/json-depth.ts';

/** A result as a page shows it. */
export interface ResultText {
  text: string;
  /** It is a list or an object, each part of it on a line of its own. */
  isJson: boolean;
}

/** A model often writes its JSON so, with three more backticks on the last line. */
const FENCE = /^```(?:json)?[^\S\n]*\n/;
/** Characters times levels. A line of a deep list is an indentation of hundreds of characters: a megabyte would become hundreds. */
const MOST_INDENTED = 20_000_000;

/** Null, and all that is no text, is shown as JSON, with its exact numbers: a browser would round them. */
export function toResultText(result: unknown): ResultText {
  const text = typeof result === 'string' ? result : stringifyExact(result ?? null);
  const parent = typeof result === 'string' ? readWritten(result) : isParent(result) && mayIndent(text) ? result : null;
  return parent === null ? { text, isJson: false } : { text: stringifyExact(parent, 2), isJson: true };
}

/** The list or object that a text is. Null: it is none, or one that is nested too deeply to indent. */
function readWritten(text: string): object | null {
  const bare = withoutFence(text.trim());
  if (!isBracketed(bare) || isTooDeep(bare) || !mayIndent(bare)) return null;
  try {
    const value = parseAsWritten(bare);
    return isParent(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function mayIndent(json: string): boolean {
  return toJsonDepth(json) * json.length <= MOST_INDENTED;
}

/** One pattern for both ends would need minutes for a text of many line breaks. */
function withoutFence(text: string): string {
  const [begin] = FENCE.exec(text) ?? [];
  return begin === undefined || !text.endsWith('\n```') ? text : text.slice(begin.length, -3).trim();
}

function isBracketed(text: string): boolean {
  return text.startsWith('{') ? text.endsWith('}') : text.startsWith('[') && text.endsWith(']');
}

function isParent(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
