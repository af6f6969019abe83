import { compareDecimals, compareText, toDecimal } from './decimal.ts';
import { ToolRefusal } from '../../tool-refusal.ts';
import { stringifyExact } from '../../../../text/exact-json.ts';

export const OPERATORS = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'contains', 'exists'] as const;

export interface Rule {
  field: string;
  op: (typeof OPERATORS)[number];
  value?: string | number | boolean | null | undefined;
}

/**
 * Makes the test of one `where` rule. A value that is a number compares with numbers and with texts of numbers; a text or
 * boolean equals the same text alone, so that "007" is not 7. `lt` to `gte` order a text with a number by value if both are
 * numbers, else by code units. Null is what is blank.
 * @throws ToolRefusal for a value that the operator has no use for
 */
export function toTest(rule: Rule): (found: unknown) => boolean {
  const { op } = rule;
  if (op === 'exists') {
    const wanted = toWanted(rule);
    return (found) => isBlank(found) !== wanted;
  }
  const value = requireValue(rule);
  switch (op) {
    case 'eq':
      return toEqual(value);
    case 'ne': {
      const isEqual = toEqual(value);
      return (found) => !isEqual(found);
    }
    case 'contains': {
      const [isEqual, part] = [toEqual(value), toText(value)];
      return (found) => (Array.isArray(found) ? found.some(isEqual) : toText(found).includes(part));
    }
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte': {
      const order = toOrder(rule, value);
      return (found) => {
        const sign = isBlank(found) ? NaN : order(found);
        return op === 'lt' ? sign < 0 : op === 'lte' ? sign <= 0 : op === 'gt' ? sign > 0 : sign >= 0;
      };
    }
  }
}

/** Whether a field is missing, null or an empty text. */
export function isBlank(value: unknown): value is undefined | null | '' {
  return value === undefined || value === null || value === '';
}

/** The text of a CSV cell: a text itself, nothing for null, else JSON. */
export function toText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : stringifyExact(value);
}

type Value = string | number | boolean | null;

function toWanted({ field, value = true }: Rule): boolean {
  if (typeof value === 'boolean') return value;
  throw new ToolRefusal(`where ${JSON.stringify(field)} exists: expected the value true or false, or none`);
}

function requireValue({ field, op, value }: Rule): Value {
  const what = `where ${JSON.stringify(field)} ${op}`;
  if (value === undefined) throw new ToolRefusal(`${what}: needs a "value"`);
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new ToolRefusal(`${what}: a number of this size may have been rounded on its way here; give it in quotes`);
  }
  return value;
}

function toEqual(value: Value): (found: unknown) => boolean {
  if (value === null) return isBlank;
  if (typeof value !== 'number') {
    const text = String(value);
    return (found) => found !== undefined && found !== null && toText(found) === text;
  }
  const number = toDecimal(value);
  return (found) => {
    const other = toDecimal(found);
    return number !== null && other !== null && compareDecimals(other, number) === 0;
  };
}

/** @returns NaN for what has no place in this order */
function toOrder({ field, op }: Rule, value: Value): (found: unknown) => number {
  if (value === null) throw new ToolRefusal(`where ${JSON.stringify(field)} ${op}: null is neither less nor greater`);
  const [number, text] = [toDecimal(value), String(value)];
  return (found) => {
    const other = number === null ? null : toDecimal(found);
    if (number !== null && other !== null) return compareDecimals(other, number);
    return typeof value === 'number' ? NaN : compareText(toText(found), text);
  };
}
