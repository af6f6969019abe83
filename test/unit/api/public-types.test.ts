import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const FIRST = new URL('../../../src/api/types.ts', import.meta.url);
const TYPES_FROM = /^(?:import|export) type [^;]*? from '([^']+)';$/gms;

/** The packages that types of the public API lead to, over imports of types alone, each with one file that names it. */
function listPackages(): Record<string, string> {
  const seen = new Set<string>();
  const packages = new Map<string, string>();
  const open = [FIRST.href];
  for (let url = open.pop(); url !== undefined; url = open.pop()) {
    if (seen.has(url)) continue;
    seen.add(url);
    for (const [, from = ''] of readFileSync(new URL(url), 'utf8').matchAll(TYPES_FROM)) {
      if (from.startsWith('.')) open.push(new URL(from, url).href);
      else packages.set(from, url.slice(url.lastIndexOf('/src/')));
    }
  }
  expect(seen.size).toBeGreaterThan(30);
  return Object.fromEntries(packages);
}

it('lead the compiler of a script to no package but zod', () => {
  expect(listPackages()).toEqual({ zod: expect.any(String) as string });
});
