import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { applyPatches } from '../../../src/patches/apply/apply-patches.ts';
import { discardPatches } from '../../../src/patches/apply/discard-patches.ts';
import { undoPatches } from '../../../src/patches/apply/undo-patches.ts';
import type { PatchHost } from '../../../src/patches/patch-host.ts';
import { readPatch } from '../../../src/patches/record.ts';
import {
  makePatch,
  makePersonRepository,
  openHost,
  type PersonRepository,
} from '../../support/patches/person-repository.ts';
import { finishTaskTree, makeTaskTree } from '../../support/patches/task-tree.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
let person: PersonRepository;
let host: PatchHost;

beforeEach(async () => {
  person = makePersonRepository({ 'a.txt': 'one\n' });
  host = await openHost(redis, person);
});

const branches = (): string => person.git('branch', '--list', 'fleet/*', '--format=%(refname:short)');

/** A patch with its tree on this host. */
async function work(task: string, files: Record<string, string> = { 'a.txt': `${task}\n` }) {
  const tree = await makeTaskTree(host, person, task);
  for (const [path, text] of Object.entries(files)) writeFileSync(join(tree.root, path), text);
  return { tree, record: await finishTaskTree(host, person, tree) };
}

test('a discarded patch loses its tree and branch, and can be had again by its commit and by apply', async () => {
  const { tree, record } = await work('task-1');
  expect(branches()).toBe('fleet/task-1');
  const { patches, notes } = await discardPatches(host, { ids: ['task-1'] });
  expect(patches).toMatchObject([{ outcome: 'discarded', commit: record.head }]);
  expect(notes).toEqual([]);
  expect(existsSync(tree.folder)).toBe(false);
  expect(branches()).toBe('');
  expect(person.git('show', `${record.head}:a.txt`)).toBe('task-1');
  expect(await readPatch(host.db, record.findingId)).toMatchObject({ state: 'discarded' });
  const left = await redis.redis.ttl(host.db.keys.patchText(record.findingId));
  expect(left / 86_400).toBeCloseTo(7, 1);
  expect(await redis.redis.zcard(host.db.keys.patches)).toBe(0);
  expect(await discardPatches(host, { ids: ['task-1'] })).toMatchObject({ patches: [{ outcome: 'discarded' }] });

  expect(await applyPatches(host, { ids: ['task-1'] })).toMatchObject({ patches: [{ outcome: 'applied' }] });
  expect(person.read('a.txt')).toBe('task-1\n');
});

test('an applied patch loses its tree and branch at once, and cannot be discarded', async () => {
  const { tree } = await work('task-1');
  expect(await applyPatches(host, { ids: ['task-1'] })).toMatchObject({ patches: [{ outcome: 'applied' }], notes: [] });
  expect(existsSync(tree.folder)).toBe(false);
  expect(branches()).toBe('');
  expect(await discardPatches(host, { ids: ['task-1'] })).toMatchObject({
    patches: [{ outcome: 'refused', why: expect.stringContaining('fleet undo') }],
  });
  expect(await undoPatches(host, ['task-1'])).toMatchObject({ patches: [{ outcome: 'undone' }] });
});

test('a tree that cannot be looked at does not hide that its patch is applied', async () => {
  const { tree } = await work('task-1');
  rmSync(join(tree.gitDir, 'base-index'));
  const { patches, notes } = await applyPatches(host, { ids: ['task-1'] });
  expect(patches).toMatchObject([{ outcome: 'applied' }]);
  expect(notes).toEqual([
    expect.stringMatching(/^task-1: its tree could not be removed \(.*`fleet worktrees --prune`/),
  ]);
  expect(existsSync(tree.folder)).toBe(true);
});

test('a damaged tree is named, stays, and hides nothing of the others; a running task is named before anything is done', async () => {
  const one = await work('task-1');
  const two = await work('task-2', { 'b.txt': 'b\n' });
  const three = await makeTaskTree(host, person, 'task-3');
  await redis.redis.hset(host.db.keys.queueKey('tasks', 'task-3'), 'timestamp', '1');
  const ids = ['task-1', 'task-2', 'task-3'];
  await expect(discardPatches(host, { ids })).rejects.toThrow(UsageError);
  expect(existsSync(one.tree.folder)).toBe(true);

  await redis.redis.hset(host.db.keys.queueKey('tasks', 'task-3'), 'finishedOn', '2', 'failedReason', 'tool: x');
  for (const { gitDir } of [one.tree, three]) rmSync(gitDir, { recursive: true });
  const { patches } = await discardPatches(host, { ids });
  expect(patches).toMatchObject([
    { taskId: 'task-1', outcome: 'refused', why: expect.stringContaining(one.tree.folder) },
    { taskId: 'task-2', outcome: 'discarded' },
    { taskId: 'task-3', outcome: 'refused', why: expect.stringContaining(three.folder) },
  ]);
  expect([one.tree, two.tree, three].map(({ folder }) => existsSync(folder))).toEqual([true, false, true]);
});

describe('nothing that no commit holds is removed', () => {
  test('work after the end of the task keeps the tree of an applied patch, and is committed where it is discarded', async () => {
    const one = await work('task-1');
    const two = await work('task-2', { 'b.txt': 'b\n' });
    for (const { tree } of [one, two]) writeFileSync(join(tree.root, 'later.txt'), 'later\n');
    const applied = await applyPatches(host, { ids: ['task-1'] });
    expect(applied.notes).toEqual([
      expect.stringMatching(/^task-1: its tree held more than the patch; all of it is commit [0-9a-f]{40}$/),
    ]);
    expect(existsSync(join(one.tree.root, 'later.txt'))).toBe(true);
    const { notes } = await discardPatches(host, { ids: ['task-2'] });
    const commit = /commit ([0-9a-f]{40})/.exec(notes[0] ?? '')?.[1] ?? '';
    expect(person.git('show', `${commit}:later.txt`)).toBe('later');
    expect(existsSync(two.tree.folder)).toBe(false);
  });

  test('what a patch leaves out keeps the tree, and is named', async () => {
    const { tree } = await work('task-1', { 'a.txt': 'x\n', '.env.local': 'SECRET=1\n' });
    const { notes } = await discardPatches(host, { ids: ['task-1'] });
    expect(notes).toEqual([expect.stringContaining('.env.local (it is named like a file of secrets)')]);
    expect(existsSync(join(tree.root, '.env.local'))).toBe(true);
  });

  test('a branch that a person moved stays', async () => {
    const { record } = await work('task-1');
    const theirs = person.git('commit-tree', '-p', record.head, '-m', 'Mine', `${record.head}^{tree}`);
    person.git('update-ref', 'refs/heads/fleet/task-1', theirs);
    const { notes } = await discardPatches(host, { ids: ['task-1'] });
    expect(notes).toEqual(['the branch fleet/task-1 stays: it was moved, or a working tree is on it']);
    expect(person.git('rev-parse', 'fleet/task-1')).toBe(theirs);
  });
});

test('the tree of a failed task is committed and goes, that of a running one stays', async () => {
  const tree = await makeTaskTree(host, person, 'task-1');
  writeFileSync(join(tree.root, 'a.txt'), 'half done\n');
  await redis.redis.hset(host.db.keys.queueKey('tasks', 'task-1'), 'timestamp', '1');
  await expect(discardPatches(host, { ids: ['task-1'] })).rejects.toThrow(UsageError);
  expect(existsSync(tree.folder)).toBe(true);
  await redis.redis.hset(host.db.keys.queueKey('tasks', 'task-1'), 'finishedOn', '2', 'failedReason', 'tool: x');
  const { patches } = await discardPatches(host, { ids: ['task-1'] });
  expect(patches).toMatchObject([{ outcome: 'discarded', taskId: 'task-1' }]);
  expect(person.git('show', `${patches[0]?.commit ?? ''}:a.txt`)).toBe('half done');
  expect(existsSync(tree.folder)).toBe(false);
  expect(branches()).toBe('');
});

test('a patch of another host is discarded by its record, and applied by its text', async () => {
  const away = { host: 'another', workspace: 'elsewhere' };
  const record = await makePatch(host.db, person, 'task-1', {
    work: (tree) => tree.write({ 'a.txt': 'x\n' }),
    ...away,
  });
  const { patches, notes } = await discardPatches(host, { ids: ['task-1'] });
  expect(patches).toMatchObject([{ outcome: 'discarded', commit: record.head }]);
  expect(notes).toEqual([expect.stringContaining('go with the next sweep on another')]);

  await makePatch(host.db, person, 'task-2', { work: (tree) => tree.write({ 'a.txt': 'y\n' }), host: 'another' });
  person.git('update-ref', '-d', 'refs/heads/fleet/task-2');
  person.git('reflog', 'expire', '--expire=now', '--all');
  person.git('gc', '-q', '--prune=now');
  expect(await applyPatches(host, { ids: ['task-2'] })).toMatchObject({ patches: [{ outcome: 'applied' }] });
  expect(person.read('a.txt')).toBe('y\n');
});
