import { describe, expect, it } from 'vitest';
import { loadedFiles, loadedPackages } from '../../support/loaded-at-import.ts';

// Each module of a worker costs about 10 kB of memory as long as it runs, and each worker has hundreds of them.
describe('a Haiku worker', () => {
  it('loads no library before a task needs it', () => {
    const first = ['bullmq', 'ioredis', 'p-map', 'pino', 'zod'];
    expect(loadedPackages('workers/haiku.ts')).toEqual(first);
  });

  it.each([
    ['the gate of the shards', /^src\/librarian\/gate\/(?:rate-gate|dispatcher|limiter)\.ts$/],
    ['what runs rules, in a swarm without a rule', /^src\/rules\/(?:feed|fire|past)\.ts$/],
    ['traces that nobody receives', /^src\/traces\//],
    [
      'working trees, before the first task in a workspace',
      /^src\/(?:haiku\/isolation|patches\/(?:merge|commit\/finish-tree))/,
    ],
    ['the search in files, before the first one', /^src\/haiku\/tools\/search\/hits\//],
    ['the vendors that no model of a task uses', /^src\/models\/(?:gemini|openai)\//],
    [
      'the command line, pages and other processes',
      /^(?:src\/(?:api|cli|coordinator|doctor|mcp|outside|pm2|status)|dashboards|simulator)\//,
    ],
  ])('does not load %s', (_, pattern) => {
    expect(loadedFiles('workers/haiku.ts').filter((path) => pattern.test(path))).toEqual([]);
  });
});
