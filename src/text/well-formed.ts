/**
 * A copy in which no text holds half a surrogate pair; the same value if none does. Providers refuse a request with one,
 * and any cut of a text by length can leave one.
 * @param value made of JSON's types
 */
export function toWellFormed<T>(value: T): T;
export function toWellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => toWellFormed(item));
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  let isSame = true;
  const fields = Object.entries(value).map(([name, field]: [string, unknown]) => {
    const formed = [name.toWellFormed(), toWellFormed(field)] as const;
    isSame &&= formed[0] === name && formed[1] === field;
    return formed;
  });
  return isSame ? value : Object.fromEntries(fields);
}

/** How `JSON.stringify` writes half a surrogate pair. A text that spells it out begins alike. */
const HALF = String.raw`\ud`;

/**
 * The JSON of what a script of Redis decodes. Lua's decoder refuses half a surrogate pair, which any program, person or model
 * may have written: the step would fail for all jobs that share it, after their calls were paid for.
 */
export function toWellFormedJson(value: object): string {
  const json = JSON.stringify(value);
  return json.includes(HALF) ? JSON.stringify(toWellFormed(value)) : json;
}
