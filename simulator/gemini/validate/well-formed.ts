import { type GoogleError, invalidArgument } from '../api/google-error.ts';

/**
 * Half of a surrogate pair: `\ud83d` alone in the body's JSON. The API's parser refuses it; its words are those of
 * https://github.com/protocolbuffers/protobuf/blob/v21.12/src/google/protobuf/util/internal/json_stream_parser.cc
 * @throws GoogleError 400
 */
export function checkWellFormed(body: Buffer, value: unknown): void {
  if (!/\\u[dD][89a-fA-F]/.test(body.toString('latin1'))) return; // half a pair has no other form in UTF-8
  if (hasHalfPair(value)) throw toRefusal();
}

function toRefusal(): GoogleError {
  return invalidArgument('Invalid JSON payload received. Missing low surrogate.');
}

function hasHalfPair(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed();
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => hasHalfPair(key) || hasHalfPair(inner));
}
