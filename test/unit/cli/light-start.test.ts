import { describe, expect, it } from 'vitest';
import { loadedPackages } from '../../support/loaded-at-import.ts';

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
