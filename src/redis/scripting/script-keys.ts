import type { KeySpec } from './script-types.ts';

/** Keys by name, of any script. */
export type AnyKeys = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Returns a function that lists keys, given by name, in the script's order. It throws a TypeError for a missing key.
 */
export function createKeyList(script: string, { keys, optional = [], rest }: KeySpec): (named: AnyKeys) => string[] {
  return (named) => {
    const list: string[] = [];
    for (const name of keys) {
      const key = named[name];
      if (typeof key !== 'string') throw new TypeError(describeMissing(script, keys, named));
      list.push(key);
    }
    for (const name of optional) {
      const key = named[name];
      if (typeof key !== 'string') break;
      list.push(key);
    }
    const others = rest === undefined ? undefined : named[rest];
    if (Array.isArray(others)) list.push(...(others as readonly string[]));
    return list;
  };
}

function describeMissing(script: string, names: readonly string[], named: AnyKeys): string {
  const missing = names.filter((name) => typeof named[name] !== 'string');
  const counts = `expected ${names.length} keys, got ${names.length - missing.length}`;
  return `${script}: ${counts}; missing: ${missing.join(', ')}`;
}
