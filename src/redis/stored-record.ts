import { FleetError } from '../errors.ts';

/**
 * Parses a stored record.
 * @returns null: it is missing, or damaged: no JSON, or no object. Damage of one record must not hide the others.
 */
export function parseRecord(text: string | null | undefined): object | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Whether a stored value is an object with these fields, each of this kind. */
export function hasFields(
  value: unknown,
  fields: Record<string, 'string' | 'number' | 'boolean' | 'list'> = {},
): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(fields).every(([name, kind]) => {
    const held = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    return kind === 'list' ? Array.isArray(held) : typeof held === kind;
  });
}

/**
 * Parses a field without which no step can decide.
 * @param of the record, as a person knows it: `paper p1`
 * @throws FleetError if the field is no JSON, or of another shape
 */
export function parseField(
  text: string,
  { of, field, fits }: { of: string; field: string; fits: (value: unknown) => boolean },
): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FleetError(`${of}: its record is damaged: field ${field} is no JSON`, { cause: error });
  }
  if (!fits(value)) throw new FleetError(`${of}: its record is damaged: field ${field} has another shape`);
  return value;
}

/** The last ms that a `Date` knows. https://tc39.es/ecma262/#sec-time-values-and-time-range */
const LAST_MS = 8.64e15;

/** Parses a stored instant in ms. @returns the beginning of 1970 if it is missing, or other text */
export function toStoredTime(text: string | null | undefined): Date {
  const ms = toStoredCount(text);
  return new Date(Math.abs(ms) <= LAST_MS ? ms : 0);
}

/**
 * Parses a whole number that scripts count: a record's part, an amount of money, a time.
 * @returns 0 if it is missing, or other text: `fleet status` names the keys where that is so
 */
export function toStoredCount(text: string | null | undefined): number {
  const count = Math.trunc(Number(text ?? 0));
  return Number.isSafeInteger(count) ? count : 0;
}
