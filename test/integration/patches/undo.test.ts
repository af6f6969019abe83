import { renameSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { applyPatches } from '../../../src/patches/apply/apply-patches.ts';
import { writeJournal } from '../../../src/patches/apply/change/journal.ts';
import { openPersonTree } from '../../../src/patches/apply/person/person-tree.ts';
import { makeScratch } from '../../../src/patches/apply/person/scratch.ts';
import type { PatchHost } from '../../../src/patches/patch-host.ts';
import { undoPatches } from '../../../src/patches/apply/undo-patches.ts';
import { readPatch } from '../../../src/patches/record.ts';
import {
  makePatch,
  makePersonRepository,
  openHost,
  type PersonRepository,
} from '../../support/patches/person-repository.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
let person: PersonRepository;
let host: PatchHost;

beforeEach(async () => {
  person = makePersonRepository({ 'a.txt': 'one\n', 'b.txt': 'b\n', 'lib/c.txt': 'c\n' });
  host = await openHost(redis, person);
});

const make = async (task: string, work: (tree: PersonRepository) => void) =>
  await makePatch(host.db, person, task, { work });

test('takes one of three patches back, and leaves the others', async () => {
  const { findingId } = await make('task-1', (tree) => {
    tree.write({ 'a.txt': 'ONE\n', 'new.txt': 'new\n' });
    tree.git('rm', '-q', 'lib/c.txt');
  });
  await make('task-2', (tree) => tree.write({ 'b.txt': 'B\n' }));
  await applyPatches(host, { ids: ['task-1', 'task-2'] });
  const { patches } = await undoPatches(host, ['task-1']);
  expect(patches).toMatchObject([{ findingId, outcome: 'undone', commit: person.git('rev-parse', 'HEAD') }]);
  expect(person.git('status', '--porcelain')).toBe('');
  expect(person.git('diff', '--name-only', 'HEAD~3')).toBe('b.txt');
  expect(person.git('log', '-1', '--format=%s %an')).toBe('Revert "Do task-1" Person');
  expect(await readPatch(host.db, findingId)).toMatchObject({
    state: 'discarded',
    undone: { commit: person.git('rev-parse', 'HEAD') },
  });

  const again = await applyPatches(host, { ids: ['task-1'] }); // a person may change their mind
  expect(again.patches).toMatchObject([{ outcome: 'applied' }]);
  expect(person.read('a.txt')).toBe('ONE\n');
  expect(await readPatch(host.db, findingId)).toMatchObject({ state: 'applied', undone: null });
});

test('takes patches of one file back in the order that fits', async () => {
  const { base } = await make('task-1', (tree) => tree.write({ 'a.txt': 'one\ntwo\n' }));
  await applyPatches(host, { ids: ['task-1'] });
  await make('task-2', (tree) => tree.write({ 'a.txt': 'one\ntwo\nthree\n' }));
  await applyPatches(host, { ids: ['task-2'] });
  const { patches } = await undoPatches(host, ['task-1', 'task-2']);
  expect(patches.map(({ outcome, taskId }) => `${taskId} ${outcome}`)).toEqual(['task-2 undone', 'task-1 undone']);
  expect(person.git('diff', base)).toBe('');
  expect(person.read('a.txt')).toBe('one\n');
});

test('refuses where later commits or uncommitted changes touch its paths, and names them', async () => {
  await make('task-1', (tree) => tree.write({ 'a.txt': 'ONE\n' }));
  await applyPatches(host, { ids: ['task-1'] });
  person.write({ 'a.txt': 'mine\n' });
  expect((await undoPatches(host, ['task-1'])).patches).toMatchObject([
    { outcome: 'dirty', paths: ['a.txt'], why: 'a.txt has an uncommitted change' },
  ]);
  person.commit('Mine');
  expect((await undoPatches(host, ['task-1'])).patches).toMatchObject([
    {
      outcome: 'conflict',
      paths: ['a.txt'],
      why: expect.stringMatching(/later commits changed a\.txt: [0-9a-f]+ Mine;/),
    },
  ]);
  expect(person.read('a.txt')).toBe('mine\n');
  person.git('checkout', '-q', '-b', 'side', 'HEAD~2');
  expect((await undoPatches(host, ['task-1'])).patches).toMatchObject([
    { outcome: 'refused', why: expect.stringContaining('is not in HEAD; switch to main') },
  ]);
});

test('takes a patch back that a person merged by hand', async () => {
  await make('task-1', (tree) => tree.write({ 'a.txt': 'ONE\n' }));
  person.write({ 'b.txt': 'mine\n' });
  person.commit('Mine');
  person.git('merge', '-q', '--no-edit', 'fleet/task-1');
  expect((await applyPatches(host, { ids: ['task-1'] })).patches).toMatchObject([{ outcome: 'already' }]);
  expect((await undoPatches(host, ['task-1'])).patches).toMatchObject([{ outcome: 'undone' }]);
  expect(person.read('a.txt')).toBe('one\n');
  expect(person.read('b.txt')).toBe('mine\n');
});

test('what a person picks after an undo counts as applied, and what they revert by hand does not', async () => {
  const { findingId, head } = await make('task-1', (tree) => tree.write({ 'a.txt': 'ONE\n' }));
  await applyPatches(host, { ids: ['task-1'] });
  await undoPatches(host, ['task-1']);
  person.git('cherry-pick', '--allow-empty', head);
  expect((await applyPatches(host, { ids: ['task-1'] })).patches).toMatchObject([{ findingId, outcome: 'already' }]);
  expect((await undoPatches(host, ['task-1'])).patches).toMatchObject([{ outcome: 'undone' }]);
  expect(person.read('a.txt')).toBe('one\n');

  for (const [task, args] of [
    ['task-2', ['cherry-pick', 'fleet/task-2']],
    ['task-3', ['merge', '-q', '--no-edit', 'fleet/task-3']],
  ] as const) {
    await make(task, (tree) => tree.write({ 'b.txt': `${task}\n` }));
    person.write({ 'a.txt': `beside ${task}\n` });
    person.commit('Beside');
    person.git(...args);
    person.git('revert', '--no-edit', ...(task === 'task-3' ? ['-m', '1'] : []), 'HEAD');
    expect((await applyPatches(host, { ids: [task] })).patches).toMatchObject([{ outcome: 'applied' }]);
    expect(person.read('b.txt')).toBe(`${task}\n`);
    await undoPatches(host, [task]);
  }
});

test('an undo that was killed after its commit is ended by the next one, which does not do it twice', async () => {
  const { findingId } = await make('task-1', (tree) => tree.write({ 'a.txt': 'ONE\n' }));
  await applyPatches(host, { ids: ['task-1'] });
  const from = person.git('rev-parse', 'HEAD');
  person.git('revert', '--no-edit', 'HEAD');
  const commit = person.git('rev-parse', 'HEAD');
  const tree = await openPersonTree('site', host.workspaces, new AbortController().signal);
  const { folder } = await makeScratch(tree, { keepsObjects: true });
  const marks = [{ findingId, state: 'discarded' as const, undone: { commit, at: new Date().toISOString() } }];
  await writeJournal(folder, { version: 1, branch: tree.head.branch, from, to: commit, paths: [], marks });
  renameSync(folder, folder.replace(/apply\.\d+\./, 'apply.4194999.'));
  const { patches } = await undoPatches(host, ['task-1']);
  expect(patches).toMatchObject([{ outcome: 'refused', why: expect.stringContaining('it is discarded') }]);
  expect(person.git('rev-parse', 'HEAD')).toBe(commit);
});
