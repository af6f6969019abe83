import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRepository, isRepository } from '../../../src/git/repository.ts';
import { findMarked } from '../../../src/patches/merge/markers.ts';
import { withMergeGit } from '../../../src/patches/merge/merge-git.ts';
import { mergePatches } from '../../../src/patches/merge/merge-patches.ts';
import { readWholeText } from '../../../src/patches/record.ts';
import type { PatchRecord } from '../../../src/patches/types.ts';
import { makePatch, makePersonRepository, type PersonRepository } from '../../support/patches/person-repository.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const { signal } = new AbortController();
const LINES = 'one\ntwo\nthree\nfour\nfive\nsix\nseven\n';

async function merge(person: PersonRepository, patches: PatchRecord[], head = person.git('rev-parse', 'HEAD')) {
  const repository = await findRepository(person.root, person.root, signal);
  if (!isRepository(repository)) throw new Error('no repository');
  const readText = (record: PatchRecord) => readWholeText(redis.db, record);
  return await withMergeGit(repository, head, signal, (parts) => mergePatches(parts, { head, patches, readText }));
}

const show = (person: PersonRepository, at: string | null, path: string) => person.git('show', `${at}:${path}`);

test('patches of every kind are merged, with the commits and authors they would be applied with', async () => {
  const binary = Buffer.from([0, 1, 2, 255, 0]);
  const person = makePersonRepository({ 'a.txt': LINES, 'b.txt': LINES, 'gone.txt': 'x\n', 'run.sh': '#!/bin/sh\n' });
  const work: ((tree: PersonRepository) => void)[] = [
    (tree) => tree.write({ 'a.txt': LINES.replace('two', 'TWO'), 'new/ä b.txt': 'new\n' }),
    (tree) => tree.git('rm', '-q', 'gone.txt'),
    (tree) => tree.git('mv', 'b.txt', 'c.txt'),
    (tree) => tree.write({ 'b.txt': LINES.replace('six', 'SIX') }), // the other one has moved it
    (tree) => tree.write({ 'blob.bin': binary }),
    (tree) => chmodSync(join(tree.root, 'run.sh'), 0o755),
    (tree) => tree.write({ 'a.txt': LINES.replace('two', 'TWO') }), // a part of the first one's change
  ];
  const patches: PatchRecord[] = [];
  for (const [i, each] of work.entries()) patches.push(await makePatch(redis.db, person, `kind-${i}`, { work: each }));
  const merged = await merge(person, patches);
  expect(merged).toMatchObject({ carries: [], start: null, conflicts: [] });
  expect(merged.buildsOn).toEqual(patches.map(({ findingId }) => findingId));
  expect(person.git('ls-tree', '-r', '--name-only', '-z', merged.commit).split('\0').filter(Boolean)).toEqual([
    'a.txt',
    'blob.bin',
    'c.txt',
    'new/ä b.txt',
    'run.sh',
  ]);
  expect(show(person, merged.commit, 'c.txt')).toContain('SIX');
  expect(person.git('ls-tree', merged.commit, 'run.sh')).toContain('100755');
  expect(person.git('log', '--format=%an %s', `HEAD..${merged.commit}`).split('\n').toReversed()).toEqual(
    [0, 1, 2, 3, 4, 5].map((i) => `haiku-fleet Do kind-${i}`),
  );
  expect((await merge(person, patches)).commit).toBe(merged.commit); // again, the same
  expect(person.git('status', '--porcelain')).toBe('');
  expect(person.git('for-each-ref', '--format=%(refname)', 'refs/heads')).not.toContain('before');
});

test('the person may have gone on: a patch is merged with what it was made from', async () => {
  const person = makePersonRepository({ 'a.txt': LINES });
  const patch = await makePatch(redis.db, person, 'early', {
    work: (tree) => tree.write({ 'a.txt': LINES.replace('six', 'SIX') }),
  });
  person.write({ 'a.txt': `zero\n${LINES}` });
  person.commit('On');
  const { commit } = await merge(person, [patch]);
  expect(show(person, commit, 'a.txt')).toBe(`zero\n${LINES.replace('six', 'SIX')}`.trimEnd());
});

test('a patch that conflicts is carried, with markers, and so is what builds on it', async () => {
  const person = makePersonRepository({ 'a.txt': LINES, 'b.txt': 'b\n', 'old.txt': LINES });
  const change = (word: string) => (tree: PersonRepository) => tree.write({ 'a.txt': LINES.replace('two', word) });
  const first = await makePatch(redis.db, person, 'first', {
    work: (tree) => {
      change('TWO')(tree);
      tree.git('rm', '-q', 'old.txt');
    },
  });
  const second = await makePatch(redis.db, person, 'second', {
    work: (tree) => {
      change('zwei')(tree);
      tree.write({ 'old.txt': `${LINES}eight\n` });
    },
  });
  const third = await makePatch(redis.db, person, 'third', {
    buildsOn: [second.findingId],
    base: second.head,
    work: (tree) => tree.write({ 'c.txt': 'c\n' }),
  });
  const free = await makePatch(redis.db, person, 'free', { work: (tree) => tree.write({ 'b.txt': 'B\n' }) });
  const merged = await merge(person, [first, second, third, free]);
  expect(merged.buildsOn).toEqual([first.findingId, free.findingId]);
  expect(merged.carries).toEqual([second.findingId, third.findingId]);
  expect(merged.conflicts).toEqual([
    {
      findingId: second.findingId,
      subject: 'Do second',
      paths: [
        { path: 'a.txt', kind: 'lines' },
        { path: 'old.txt', kind: 'deleted' },
      ],
    },
  ]);
  expect(show(person, merged.start, 'a.txt')).toContain(
    `<<<<<<< before-${second.findingId}\nTWO\n=======\nzwei\n>>>>>>> ${second.findingId}\n`,
  );
  expect(show(person, merged.start, 'c.txt')).toBe('c');
  expect(show(person, merged.commit, 'b.txt')).toBe('B');
  expect(person.git('ls-tree', merged.commit, 'c.txt')).toBe('');

  person.write({ 'a.txt': person.git('show', `${merged.start}:a.txt`) });
  expect(await findMarked(person.root, merged.conflicts)).toEqual(['a.txt']);
  person.write({ 'a.txt': '<<<<<<< HEAD\nanother marker\n>>>>>>> theirs\n' });
  expect(await findMarked(person.root, merged.conflicts)).toEqual([]);
});

test('a patch whose commits are not here is merged from its text, and one of which nothing is here is named', async () => {
  const person = makePersonRepository({ 'a.txt': LINES });
  const foreign = (id: string, changes: Partial<PatchRecord>) =>
    makePatch(redis.db, person, id, { work: (tree) => tree.write({ 'a.txt': LINES.replace('two', id) }) }).then(
      (record) => ({ ...record, ...changes }),
    );
  const nowhere = '0123456789'.repeat(4);
  const merged = await merge(person, [await foreign('far', { head: nowhere })]);
  expect(show(person, merged.commit, 'a.txt')).toContain('far');
  const farther = await merge(person, [await foreign('farther', { head: nowhere, base: nowhere })]);
  expect(show(person, farther.commit, 'a.txt')).toContain('farther');
  const lost = await foreign('lost', { head: nowhere });
  await redis.redis.del(redis.keys.patchText(lost.findingId));
  await expect(merge(person, [lost])).rejects.toThrow(
    `the patch ${lost.findingId} (Do lost), on which the task builds`,
  );
});

test('a conflict that no worker can mend is the person’s at once', async () => {
  const person = makePersonRepository({ 'a.bin': Buffer.from([0, 1, 2]), d: 'file\n' });
  const one = await makePatch(redis.db, person, 'one', {
    work: (tree) => tree.write({ 'a.bin': Buffer.from([0, 1, 3]) }),
  });
  const two = await makePatch(redis.db, person, 'two', {
    work: (tree) => tree.write({ 'a.bin': Buffer.from([0, 1, 4]) }),
  });
  await expect(merge(person, [one, two])).rejects.toThrow(/no worker can mend: a\.bin: .*binary/i);
});
