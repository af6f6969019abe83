import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { listWorktrees } from '../../../src/patches/apply/clean/prune-trees.ts';
import { changePatchState } from '../../../src/patches/change-state.ts';
import type { PatchHost } from '../../../src/patches/patch-host.ts';
import { makePersonRepository, openHost, type PersonRepository } from '../../support/patches/person-repository.ts';
import { finishTaskTree, makeTaskTree } from '../../support/patches/task-tree.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
let person: PersonRepository;
let host: PatchHost;

beforeEach(async () => {
  person = makePersonRepository({ 'a.txt': 'one\n', '.gitignore': 'node_modules\n' });
  host = await openHost(redis, person);
});

test('names what each tree holds, and removes only those whose whole content some commit keeps', async () => {
  const setJob = async (task: string, fields: Record<string, string>) =>
    await redis.redis.hset(host.db.keys.queueKey('tasks', task), { timestamp: '1', ...fields });
  const make = async (task: string, files: Record<string, string> = { 'a.txt': `${task}\n` }) => {
    const tree = await makeTaskTree(host, person, task);
    for (const [path, text] of Object.entries(files)) writeFileSync(join(tree.root, path), text);
    return tree;
  };
  const saved = await make('saved');
  mkdirSync(join(saved.root, 'node_modules/x'), { recursive: true }); // an installed package is no work
  writeFileSync(join(saved.root, 'node_modules/x/i.js'), 'x\n');
  await finishTaskTree(host, person, saved);
  const later = await make('later');
  await finishTaskTree(host, person, later);
  writeFileSync(join(later.root, 'more.txt'), 'more\n');
  const dropped = await make('dropped');
  const { findingId } = await finishTaskTree(host, person, dropped);
  await changePatchState(host.db, { findingId, state: 'discarded' });
  const secret = await make('secret', { '.env': 'A=1\n' });
  await finishTaskTree(host, person, secret);
  await make('running');
  await setJob('running', {});
  await make('failed');
  await setJob('failed', { finishedOn: '2', failedReason: 'tool: x' });
  await make('untouched', {});
  const damaged = await make('damaged');
  rmSync(join(damaged.gitDir, 'base-index'));

  const { trees, removed } = await listWorktrees(host);
  expect(removed).toEqual([]);
  expect(Object.fromEntries(trees.map(({ taskId, state, kept }) => [taskId, `${state}: ${kept}`]))).toEqual({
    saved: 'pending: ',
    later: 'pending: it holds work that its patch does not; `fleet discard later` commits it first',
    dropped: 'discarded: ',
    secret: expect.stringMatching(/^(empty|pending): it holds what no commit can: \.env$/),
    running: 'waiting: its task has not ended',
    failed: 'failed: a retry of its task goes on in it; `fleet discard failed` commits and removes it',
    untouched: 'left: ',
    damaged: expect.stringContaining('left: it cannot be looked at: '),
  });
  expect(trees.every(({ bytes, madeAt }) => bytes > 0 && Date.parse(madeAt) > 0)).toBe(true);

  const pruned = await listWorktrees(host, { prune: true });
  expect(pruned.removed.map(({ taskId }) => taskId).toSorted()).toEqual(['dropped', 'saved', 'untouched']);
  expect(pruned.trees).toHaveLength(5);
  expect([saved, later, secret].map(({ folder }) => existsSync(folder))).toEqual([false, true, true]);
  const branches = person.git('branch', '--list', 'fleet/*', '--format=%(refname:short)').split('\n');
  expect(branches).toContain('fleet/saved'); // it waits for a person
  expect(branches).not.toContain('fleet/dropped');
  expect(branches).not.toContain('fleet/untouched');
});
