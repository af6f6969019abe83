import type { AuditEntry, AuditFields, AuditValue } from './types.ts';
import { formatCount } from '../text/plural.ts';

/** What a change names, for people: `batch nightly`; `task-1, task-2 and 38 more`. Empty: nothing, as of a halt. */
export function describeAbout({ about }: Pick<AuditEntry, 'about'>): string {
  const { ids, count, ...named } = about;
  const parts = Object.entries(named).map(([name, value]) => `${name} ${toText(value)}`);
  if (Array.isArray(ids)) parts.push(describeIds(ids as readonly string[], count));
  return parts.join(', ');
}

function describeIds(ids: readonly string[], count: AuditValue = ids.length): string {
  const more = Number(count) - ids.length;
  return more > 0 ? `${ids.join(', ')} and ${more} more` : ids.join(', ');
}

/** What a change did, for people: `limit $5.00 → $20.00, released 3`. A field that is on one side alone stands by itself. */
export function describeChange({ before, after }: Pick<AuditEntry, 'before' | 'after'>): string {
  const [from, to]: [AuditFields, AuditFields] = [before ?? {}, after ?? {}];
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return names.map((name) => `${name} ${describeField(from[name], to[name])}`).join(', ');
}

function describeField(from: AuditValue | undefined, to: AuditValue | undefined): string {
  if (from === undefined || to === undefined) return toText(from ?? to ?? null);
  const [was, is] = [toText(from), toText(to)];
  return was === is ? is : `${was} → ${is}`;
}

function toText(value: AuditValue): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return formatCount(value);
  return typeof value === 'string' ? value : value.join(', ');
}
