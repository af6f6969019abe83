export type JsonObject = Record<string, unknown>;

/** Whether a JSON value is an object; false for null and lists. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws SyntaxError for bytes that are not JSON */
export function parseJson(body: Buffer): unknown {
  return JSON.parse(body.toString('utf8'));
}
