import { isObject } from '../../provider-host/json.ts';
import { invalidRequest } from '../api/api-error.ts';

/** Half a pair can come only from an escape: a body is UTF-8, which has none. */
const ESCAPED_SURROGATE = /\\u[dD][89a-fA-F]/;

/**
 * Refuses half a surrogate pair in any text, as the provider's JSON parser does. `JSON.parse` takes it.
 * https://github.com/anthropics/claude-code/issues/2108
 * @param text the body as it was sent
 * @throws ApiError 400
 */
export function checkWellFormed(text: string, value: unknown): void {
  if (!ESCAPED_SURROGATE.test(text) || isWellFormed(value)) return;
  const at = Math.max(0, text.search(ESCAPED_SURROGATE));
  throw invalidRequest(
    `The request body is not valid JSON: no low surrogate in string: line 1 column ${at + 1} (char ${at})`,
  );
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (Array.isArray(value)) return value.every(isWellFormed);
  return !isObject(value) || Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner));
}
