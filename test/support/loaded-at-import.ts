import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { packageFolder } from '../../src/config/package-folder.ts';

/** Imports and re-exports of values; those that begin with `import type` cost nothing at run time. */
const VALUE_IMPORT = /^(?:import|export) (?!type )(?:[^;'"]*? from )?'([^']+)';/gm;

/** Every package that a file loads at import, directly or through the project's files. Sorted. */
export function loadedPackages(entry: string): string[] {
  return walk(entry).packages;
}

/** Every file of the project that a file loads at import, itself included. Sorted. */
export function loadedFiles(entry: string): string[] {
  return walk(entry).files;
}

/** @throws Error for a file that does not exist */
function walk(entry: string): { files: string[]; packages: string[] } {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const open = [join(packageFolder, entry)];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(VALUE_IMPORT)) {
      if (name.startsWith('.')) open.push(join(dirname(path), name));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  }
  return {
    files: [...seen].map((path) => relative(packageFolder, path)).toSorted(),
    packages: [...packages].toSorted(),
  };
}
