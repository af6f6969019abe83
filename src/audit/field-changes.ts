import type { AuditFields, AuditValue } from './types.ts';

/** What differs between two versions of something, field by field. */
export interface FieldChanges {
  before: AuditFields;
  after: AuditFields;
}

/** Characters that both texts share before they differ, as far as they are shown. */
const SHARED = 20;

/** The fields that differ, with short values: of long texts, where they begin to differ. */
export function toFieldChanges(before: unknown, after: unknown): FieldChanges {
  const [from, to] = [toObject(before), toObject(after)];
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  const changed = names.filter((name) => toText(from[name]) !== toText(to[name]));
  const pairs = changed.map((name) => [name, toPair(from[name], to[name])] as const);
  return {
    before: Object.fromEntries(pairs.map(([name, [value]]) => [name, value])),
    after: Object.fromEntries(pairs.map(([name, [, value]]) => [name, value])),
  };
}

function toPair(from: unknown, to: unknown): [AuditValue, AuditValue] {
  if (typeof from !== 'string' || typeof to !== 'string') return [toValue(from), toValue(to)];
  let same = 0;
  while (same < from.length && from[same] === to[same]) same += 1;
  const start = Math.max(0, same - SHARED);
  const shown = (text: string): string => (start === 0 ? text : `…${text.slice(start)}`);
  return [shown(from), shown(to)];
}

function toValue(value: unknown): AuditValue {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : toText(value);
}

/** What is missing is the same as null. */
function toText(value: unknown): string {
  return JSON.stringify(value ?? undefined) ?? '';
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
