import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageFolder } from '../../../src/config/package-folder.ts';

/** Imports and re-exports of values; those that begin with `import type` cost nothing at run time. */
const VALUE_IMPORT = /^(?:import|export) (?!type )(?:[^;'"]*? from )?'([^']+)';/gm;

/** Every package that a file loads at import, directly or through the project's files. */
function loadedPackages(entry: string): string[] {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const open = [join(packageFolder, entry)];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    expect(existsSync(path), path).toBe(true);
    for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(VALUE_IMPORT)) {
      if (name.startsWith('.')) open.push(join(dirname(path), name));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  }
  return [...packages].sort();
}

describe('the command line', () => {
  it('loads commander alone before it knows the command', () => {
    expect(loadedPackages('src/cli/program.ts')).toEqual(['commander']);
  });

  it.each(['ask', 'budget', 'costs', 'failed', 'halt', 'mission', 'resume', 'session', 'limits', 'status', 'task'])(
    'loads for `fleet %s` no library of queues, models or schemas that it may not need',
    (name) => {
      expect(loadedPackages(`src/cli/commands/run/${name}.ts`).filter((found) => found !== 'commander')).toEqual([
        'ioredis',
        'zod',
      ]);
    },
  );
});

describe('the package', () => {
  it('connects to nothing and loads no Redis client until it is asked to', () => {
    expect(loadedPackages('src/index.ts')).toEqual(['zod']);
  });
});
