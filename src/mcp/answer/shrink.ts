/** Cut texts of a list have about so many UTF-16 code units at least. */
const SHORTEST = 40;

/**
 * The same fields with about half of what their lists hold: fewer entries, then shorter ones. Single texts, such as ids and
 * leases, stay whole.
 * @returns null: nothing can be left out
 */
export function shrinkLists<T extends Record<string, unknown>>(fields: T): T | null {
  let isSmaller = false;
  const entries = Object.entries(fields).map(([name, value]) => {
    if (!Array.isArray(value)) return [name, value] as const;
    const smaller = shrink(value);
    isSmaller ||= smaller !== value;
    return [name, smaller] as const;
  });
  return isSmaller ? (Object.fromEntries(entries) as T) : null;
}

function shrink(list: unknown[]): unknown[] {
  const texts = list.filter((item): item is string => typeof item === 'string');
  if (list.length > 4) {
    const kept = list.slice(0, Math.ceil(list.length / 2));
    return texts.length === list.length ? [...kept, '… more'] : kept;
  }
  const longest = Math.max(0, ...texts.map(({ length }) => length));
  if (longest <= SHORTEST) return list;
  const most = Math.max(SHORTEST, Math.floor(longest / 2));
  return list.map((item) => (typeof item === 'string' && item.length > most ? `${item.slice(0, most - 1)}…` : item));
}
