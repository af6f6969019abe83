import { isObject, type JsonObject } from '../../provider-host/json.ts';
import { invalidRequest } from '../api/api-error.ts';

/** @throws ApiError 400 naming the first key the API does not know */
export function refuseExtraKeys(path: string, object: JsonObject, allowed: readonly string[]): void {
  const extra = Object.keys(object).find((key) => !allowed.includes(key));
  if (extra !== undefined) throw invalidRequest(`${path}${extra}: Extra inputs are not permitted`);
}

/** @throws ApiError 400 unless the value is there and an object */
export function requireObject(path: string, value: unknown): JsonObject {
  if (value === undefined) throw invalidRequest(`${path}: Field required`);
  if (!isObject(value)) throw invalidRequest(`${path}: Input should be a valid dictionary`);
  return value;
}

/** @throws ApiError 400 unless the value is there and a string */
export function requireString(path: string, value: unknown): string {
  if (value === undefined) throw invalidRequest(`${path}: Field required`);
  if (typeof value !== 'string') throw invalidRequest(`${path}: Input should be a valid string`);
  return value;
}

/** @throws ApiError 400 unless the value is there and a list */
export function requireList(path: string, value: unknown): unknown[] {
  if (value === undefined) throw invalidRequest(`${path}: Field required`);
  if (!Array.isArray(value)) throw invalidRequest(`${path}: Input should be a valid list`);
  return value;
}

/** @throws ApiError 400 unless absent, null or an `ephemeral` breakpoint */
export function checkCacheControl(path: string, value: unknown): void {
  if (value === undefined || value === null) return;
  const control = requireObject(path, value);
  refuseExtraKeys(`${path}.`, control, ['type', 'ttl']);
  if (control.type !== 'ephemeral') throw invalidRequest(`${path}.type: Input should be 'ephemeral'`);
  const { ttl } = control;
  if (ttl !== undefined && ttl !== '5m') throw invalidRequest(`${path}.ttl: the simulator keeps entries for '5m' only`);
}
