import { parseExact } from '../text/exact-json.ts';
import { cutDepth, isTooDeep } from '../text/json-depth.ts';

/** Sixteen digits in a row: fewer are exact as a JavaScript number. */
const LONG_NUMBER = /\d{16}/;

/**
 * Reads the JSON object of a stored finding, which any program may have written. Numbers stay exact (`stringifyExact` writes
 * them), and a note stands for what is nested too deeply for what reads and writes it.
 * @returns null: it is no JSON object
 */
export function readFindingJson(text: string): Record<string, unknown> | null {
  try {
    const value = isTooDeep(text) ? cutDepth(JSON.parse(text)) : parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null; // unreadable entries are skipped, never fatal
  }
}

function parse(text: string): unknown {
  return LONG_NUMBER.test(text) ? parseExact(text) : JSON.parse(text);
}
