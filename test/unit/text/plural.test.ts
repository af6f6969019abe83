import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, double, integer, maxSafeInteger, oneof, property } from 'fast-check';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { packageFolder } from '../../../src/config/package-folder.ts';
import { countOf, formatCount } from '../../../src/text/plural.ts';

describe('a count', () => {
  it('is written as the locale data of Node writes it', () => {
    const count = oneof(maxSafeInteger(), integer({ min: -2_000_000, max: 2_000_000 }), double());
    assert(property(count, (value) => formatCount(value) === (value + 0).toLocaleString('en-US')));
  });

  it('has its noun in the singular for one alone', () => {
    expect([0, 1, 2, 1_000].map((count) => countOf(count, 'task'))).toEqual([
      '0 tasks',
      '1 task',
      '2 tasks',
      '1,000 tasks',
    ]);
  });
});

// One file that loads the locale data costs each process that imports it 8 MB.
it('loads no locale data to write a count, or when a file is imported', () => {
  const files = globSync(['src/**/*.ts', 'queues/*.ts', 'workers/*.ts', 'dashboards/**/*.ts'], { cwd: packageFolder });
  expect(files.length).toBeGreaterThan(500);
  const offenders = files.filter((file) => {
    const code = readFileSync(join(packageFolder, file), 'utf8');
    return /^(?:export )?const .*\bIntl\./m.test(code) || code.includes(".toLocaleString('en-US')");
  });
  expect(offenders).toEqual(['src/text/plural.ts']);
});
