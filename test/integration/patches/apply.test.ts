import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { applyPatches } from '../../../src/patches/apply/apply-patches.ts';
import { undoPatches } from '../../../src/patches/apply/undo-patches.ts';
import type { PatchHost } from '../../../src/patches/patch-host.ts';
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

const FILES = { 'a.txt': 'one\ntwo\nthree\n', 'lib/b.txt': 'b\n', 'old.txt': 'old\n', '.gitignore': '*.log\n' };

beforeEach(async () => {
  person = makePersonRepository(FILES);
  host = await openHost(redis, person);
});

const apply = async (...ids: string[]) => await applyPatches(host, { ids });
const make = async (task: string, work: (tree: PersonRepository) => void, more = {}) =>
  await makePatch(host.db, person, task, { work, ...more });
const edit = (task: string) => make(task, (tree) => tree.write({ 'a.txt': 'one\nTWO\nthree\n' }));
const head = (): string => person.git('rev-parse', 'HEAD');
const status = (): string => person.git('status', '--porcelain', '--ignored');
/** Nothing of the command is left in the person's repository. */
const expectClean = (): void => {
  expect(existsSync(join(person.root, '.git/index.lock'))).toBe(false);
  const folder = join(person.root, '.git/haiku-fleet');
  expect(existsSync(folder) ? person.git('ls-files', '-o', '--directory', folder) : '').toBe('');
};

test('makes one commit of one patch, in HEAD, index and working tree', async () => {
  const before = head();
  const { findingId } = await make('task-1', (tree) => {
    tree.write({ 'a.txt': 'one\nTWO\nthree\n', 'new/c.txt': 'c\n' });
    tree.git('rm', '-q', 'old.txt');
    tree.git('mv', 'lib/b.txt', 'lib/moved.txt');
  });
  const report = await apply('task-1');
  expect(report).toMatchObject({ patches: [{ findingId, outcome: 'applied', subject: 'Do task-1' }], notes: [] });
  expect(person.git('rev-parse', 'HEAD^')).toBe(before);
  expect(status()).toBe('');
  expect(person.git('diff-index', 'HEAD')).toBe(''); // also without a refresh
  expect(person.read('a.txt')).toBe('one\nTWO\nthree\n');
  expect(person.git('show', '--no-renames', '--format=%an %cn%n%B', '--name-status', 'HEAD').split('\n')).toEqual(
    expect.arrayContaining(['haiku-fleet Person', 'Do task-1', 'Fleet-Task: task-1', 'M\ta.txt', 'D\told.txt']),
  );
  expect(await readPatch(host.db, findingId)).toMatchObject({
    state: 'applied',
    applied: { commit: head(), onto: 'refs/heads/main' },
  });
  expect(await redis.redis.zcard(host.db.keys.patches)).toBe(0);
  expect(person.git('reflog', '-1', '--format=%gs')).toBe('fleet apply: one patch');
  expectClean();
});

test('applies twenty patches of one base as twenty commits, each with its own file', async () => {
  for (let n = 1; n <= 20; n += 1)
    await make(`task-${n}`, (tree) => tree.write({ [`f${n}.txt`]: `${n}\n` }), { batch: 'b' });
  await redis.redis.hset(host.db.keys.batch('b'), 'session', 's');
  const { patches } = await applyPatches(host, { batch: 'b' });
  expect(patches.map(({ outcome }) => outcome)).toEqual(Array(20).fill('applied'));
  const files = person.git('log', '-20', '--reverse', '--format=', '--name-only').split('\n').filter(Boolean);
  expect(files).toEqual(Array.from({ length: 20 }, (_, i) => `f${i + 1}.txt`));
  expect(status()).toBe('');
});

describe('what a person changed', () => {
  const cases: [string, (tree: PersonRepository) => void, () => void][] = [
    ['an edit', (tree) => tree.write({ 'a.txt': 'x\n' }), () => person.write({ 'a.txt': 'one\ntwo\nmine\n' })],
    [
      'an edit of the same size and second',
      (tree) => tree.write({ 'a.txt': 'x\n' }),
      () => person.write({ 'a.txt': 'one\ntwo\nTHREE\n' }),
    ],
    [
      'a staged edit',
      (tree) => tree.write({ 'a.txt': 'x\n' }),
      () => {
        person.write({ 'a.txt': 'mine\n' });
        person.git('add', 'a.txt');
        person.write({ 'a.txt': FILES['a.txt'] });
      },
    ],
    ['a deleted file', (tree) => tree.write({ 'a.txt': 'x\n' }), () => rmSync(join(person.root, 'a.txt'))],
    [
      'a deleted file that goes',
      (tree) => tree.git('rm', '-q', 'old.txt'),
      () => person.write({ 'old.txt': 'mine\n' }),
    ],
    ['an untracked file', (tree) => tree.write({ 'n.txt': 'x\n' }), () => person.write({ 'n.txt': 'mine\n' })],
    [
      'an ignored file',
      (tree) => {
        tree.write({ 'n.log': 'x\n' });
        tree.git('add', '-f', 'n.log');
      },
      () => person.write({ 'n.log': 'mine\n' }),
    ],
    [
      'an ignored file with the same content',
      (tree) => {
        tree.write({ 'n.log': 'x\n' });
        tree.git('add', '-f', 'n.log');
      },
      () => person.write({ 'n.log': 'x\n' }),
    ],
    [
      'an ignored file in a folder that becomes a file',
      (tree) => {
        tree.git('rm', '-q', '-r', 'lib');
        tree.write({ lib: 'now a file\n' });
      },
      () => person.write({ 'lib/mine.log': 'mine\n' }),
    ],
    [
      'an untracked file in the place of a folder',
      (tree) => tree.write({ 'dir/n.txt': 'x\n' }),
      () => person.write({ dir: 'mine\n' }),
    ],
    [
      'a link in the place of a folder',
      (tree) => tree.write({ 'lib/b.txt': 'x\n' }),
      () => {
        rmSync(join(person.root, 'lib'), { recursive: true });
        mkdirSync(join(person.root, '../elsewhere'));
        writeFileSync(join(person.root, '../elsewhere/b.txt'), 'b\n');
        symlinkSync('../elsewhere', join(person.root, 'lib'));
      },
    ],
    ['another mode', (tree) => tree.write({ 'a.txt': 'x\n' }), () => chmodSync(join(person.root, 'a.txt'), 0o755)],
    [
      'a file assumed to be unchanged',
      (tree) => tree.write({ 'a.txt': 'x\n' }),
      () => {
        person.git('update-index', '--assume-unchanged', 'a.txt');
        person.write({ 'a.txt': 'mine\n' });
      },
    ],
    [
      'a file that is only meant to be added',
      (tree) => tree.write({ 'n.txt': 'x\n' }),
      () => {
        person.write({ 'n.txt': '' });
        person.git('add', '-N', 'n.txt');
      },
    ],
    [
      'an index lock of another git',
      (tree) => tree.write({ 'a.txt': 'x\n' }),
      () => writeFileSync(join(person.root, '.git/index.lock'), 'theirs'),
    ],
    [
      'an unfinished merge',
      (tree) => tree.write({ 'a.txt': 'x\n' }),
      () => writeFileSync(join(person.root, '.git/MERGE_HEAD'), `${head()}\n`),
    ],
    [
      'an unfinished rebase',
      (tree) => tree.write({ 'a.txt': 'x\n' }),
      () => mkdirSync(join(person.root, '.git/rebase-merge')),
    ],
  ];

  test.each(cases)('is never written over: %s', async (_, work, change) => {
    const { findingId } = await make('task-1', work);
    change();
    const snapshot = () => [
      head(),
      person.git('ls-files', '-s', '-v'),
      person.git('status', '--porcelain', '--ignored'),
      ...['a.txt', 'old.txt', 'n.txt', 'n.log', 'lib/b.txt', 'lib/mine.log', 'dir'].map((path) =>
        existsSync(join(person.root, path)) ? readFileSync(join(person.root, path), 'utf8') : null,
      ),
    ];
    const before = snapshot();
    const { patches } = await apply('task-1');
    expect(patches).toMatchObject([{ outcome: expect.stringMatching(/^(dirty|refused)$/), why: /./ }]);
    expect(snapshot()).toEqual(before);
    expect(await readPatch(host.db, findingId)).toMatchObject({ state: 'pending', applied: null });
  });

  test('on other paths stays, staged or not', async () => {
    await edit('task-1');
    person.write({ 'lib/b.txt': 'mine\n', 'staged.txt': 'staged\n', 'x.log': 'log\n' });
    person.git('add', 'staged.txt');
    expect((await apply('task-1')).patches).toMatchObject([{ outcome: 'applied' }]);
    expect(status().split('\n').toSorted()).toEqual(['!! x.log', ' M lib/b.txt', 'A  staged.txt'].toSorted());
    expect(person.git('show', '--name-only', '--format=', 'HEAD')).toBe('a.txt');
    expect(person.read('lib/b.txt')).toBe('mine\n');
  });
});

describe('where HEAD has changed', () => {
  const block = (name: string): string => `begin ${name}\n  a\n  b\n  c\n  value\n  d\n  e\n  f\nend ${name}\n`;

  test('a patch whose lines moved is applied there', async () => {
    await edit('task-1');
    person.write({ 'a.txt': 'zero\none\ntwo\nthree\n' });
    person.commit('Above');
    expect((await apply('task-1')).patches).toMatchObject([{ outcome: 'conflict', paths: ['a.txt'] }]);
    expect((await applyPatches(host, { ids: ['task-1'], threeWay: true })).patches).toMatchObject([
      { outcome: 'applied' },
    ]);
    expect(person.read('a.txt')).toBe('zero\none\nTWO\nthree\n');
  });

  test('a patch whose lines occur twice is not applied at the wrong place', async () => {
    person.write({ 'c.txt': block('1') + block('2') });
    person.commit('Blocks');
    const { findingId } = await make('task-1', (tree) => {
      tree.write({ 'c.txt': block('1') + block('2').replace('value', 'VALUE') });
    });
    person.write({ 'c.txt': block('0') + block('0') + block('1') + block('2') });
    person.commit('More blocks');
    const { patches } = await apply('task-1');
    expect(patches).toMatchObject([{ outcome: 'conflict', why: expect.stringContaining('its place is not certain') }]);
    expect(await readPatch(host.db, findingId)).toMatchObject({ state: 'conflict', conflict: { paths: ['c.txt'] } });
    expect((await applyPatches(host, { ids: ['task-1'], threeWay: true })).patches).toMatchObject([
      { outcome: 'applied' },
    ]);
    expect(person.read('c.txt')).toBe(block('0') + block('0') + block('1') + block('2').replace('value', 'VALUE'));
  });

  test.each([
    ['merged', 'merge -q --no-edit fleet/task-1'],
    ['merged as one commit', 'merge -q --squash fleet/task-1'],
    ['picked', 'cherry-pick fleet/task-1'],
  ])('a patch that the person %s by hand counts as applied', async (_, command) => {
    const { findingId } = await edit('task-1');
    person.write({ 'lib/b.txt': 'mine\n' });
    person.commit('Mine');
    person.git(...command.split(' '));
    if (command.includes('squash')) person.git('commit', '-q', '-m', 'All of it');
    const before = head();
    expect((await apply('task-1')).patches).toMatchObject([{ findingId, outcome: 'already', why: 'HEAD holds it' }]);
    expect(head()).toBe(before);
    const record = await readPatch(host.db, findingId);
    expect(record?.state).toBe('applied');
    expect(person.git('show', `${record?.applied?.commit ?? ''}:a.txt`)).toBe('one\nTWO\nthree');
  });

  test('a patch of a base that was amended away is applied', async () => {
    await edit('task-1');
    person.write({ 'lib/b.txt': 'amended\n' });
    person.git('commit', '-q', '-a', '--amend', '-m', 'Amended');
    expect((await apply('task-1')).patches).toMatchObject([{ outcome: 'applied' }]);
  });
});

describe('patches that depend on others', () => {
  test('come after these, and not without them', async () => {
    const one = await make('task-1', (tree) => tree.write({ 'n.txt': 'one\n' }), {
      createdAt: '2026-02-02T00:00:00.000Z',
    });
    const onto = person.git('rev-parse', one.head);
    await make('task-2', (tree) => tree.write({ 'n.txt': 'one\ntwo\n' }), {
      base: onto,
      buildsOn: [one.findingId],
      createdAt: '2026-02-01T00:00:00.000Z',
    });
    expect((await apply('task-2')).patches).toMatchObject([
      { outcome: 'refused', why: expect.stringContaining(`it builds on ${one.findingId}, which is pending`) },
    ]);
    expect((await apply('task-2', 'task-1')).patches).toMatchObject([
      { taskId: 'task-1', outcome: 'applied' },
      { taskId: 'task-2', outcome: 'applied' },
    ]);
    expect(person.read('n.txt')).toBe('one\ntwo\n');
  });

  test('count one that another holds as applied with it, and take it back with it', async () => {
    const one = await make('task-1', (tree) => tree.write({ 'a.txt': 'ONE\n' }));
    const two = await make('task-2', (tree) => tree.write({ 'a.txt': 'two\n' }));
    await make('task-3', (tree) => tree.write({ 'a.txt': 'ONE and two\n' }), {
      base: one.head,
      buildsOn: [one.findingId],
      carries: [two.findingId],
    });
    const { patches } = await apply('task-1', 'task-2', 'task-3');
    expect(Object.fromEntries(patches.map(({ taskId, outcome }) => [taskId, outcome]))).toEqual({
      'task-1': 'applied',
      'task-2': 'already',
      'task-3': 'applied',
    });
    expect(await readPatch(host.db, two.findingId)).toMatchObject({ state: 'applied', applied: { commit: head() } });
    expect((await undoPatches(host, ['task-2'])).patches).toMatchObject([
      { outcome: 'refused', why: expect.stringContaining('came with task task-3') },
    ]);
    expect((await undoPatches(host, ['task-3'])).patches).toMatchObject([{ outcome: 'undone' }]);
    expect(await readPatch(host.db, two.findingId)).toMatchObject({ state: 'pending', applied: null });
  });
});

test('two commands at once apply both patches', async () => {
  await make('task-1', (tree) => tree.write({ 'x.txt': 'x\n' }));
  await make('task-2', (tree) => tree.write({ 'y.txt': 'y\n' }));
  const reports = await Promise.all([apply('task-1'), apply('task-2')]);
  expect(reports.flatMap(({ patches }) => patches.map(({ outcome, why }) => `${outcome} ${why}`))).toEqual([
    'applied ',
    'applied ',
  ]);
  expect(status()).toBe('');
  expect(person.git('log', '-2', '--format=%s').split('\n').toSorted()).toEqual(['Do task-1', 'Do task-2']);
  expectClean();
});

test('an index lock of another fleet command is not taken for that of a git', async () => {
  await edit('task-1');
  const folder = join(person.root, '.git/haiku-fleet', `apply.${process.pid}.0.abc.${hostname()}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'lock'), '');
  linkSync(join(folder, 'lock'), join(person.root, '.git/index.lock'));
  const { patches } = await apply('task-1');
  expect(patches).toMatchObject([
    { outcome: 'refused', why: expect.stringMatching(/^another fleet command.*try again/) },
  ]);
  expect(existsSync(join(person.root, '.git/index.lock'))).toBe(true);
});
