import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyPatches } from '../../../src/patches/apply/apply-patches.ts';
import type { PatchHost } from '../../../src/patches/patch-host.ts';
import { undoPatches } from '../../../src/patches/apply/undo-patches.ts';
import {
  makePatch,
  makePersonRepository,
  openHost,
  type PersonRepository,
} from '../../support/patches/person-repository.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
let host: PatchHost;

const open = async (files: Record<string, string | Buffer>): Promise<PersonRepository> => {
  const person = makePersonRepository(files);
  host = await openHost(redis, person);
  return person;
};
const make = async (person: PersonRepository, task: string, work: (tree: PersonRepository) => void) =>
  await makePatch(host.db, person, task, { work });
const applied = async (...ids: string[]) => {
  const { patches } = await applyPatches(host, { ids });
  return patches.map(({ outcome, why }) => (why === '' ? outcome : `${outcome}: ${why}`));
};

test('files of every kind and name come as a checkout writes them, and go back by undo', async () => {
  const person = await open({
    'run.sh': 'echo\n',
    'data.bin': Buffer.from([0, 1, 2, 255]),
    'to-link': 'x\n',
    'to-folder': 'x\n',
    'to-file/deep/x': 'x\n',
    'only/here.txt': 'x\n',
    'moved from.txt': 'long enough to be found as a rename\nline\nline\n',
    '.gitattributes': '*.bat text eol=crlf\n*.txt text=auto\n',
    'a.bat': 'echo\n',
  });
  symlinkSync('run.sh', join(person.root, 'link'));
  symlinkSync('run.sh', join(person.root, 'to-plain'));
  const base = person.commit('Links');
  const odd = ['tab\there', 'line\nbreak', 'quote"here', '-dash', 'ünï', ' blank ', 'back\\slash', '*glob[1]?'];
  const { head } = await make(person, 'task-1', (tree) => {
    const at = (path: string): string => join(tree.root, path);
    tree.write(Object.fromEntries(odd.map((name) => [name, `${name}\n`])));
    writeFileSync(Buffer.concat([Buffer.from(`${tree.root}/`), Buffer.from([0x66, 0xff, 0xfe])]), 'bytes\n');
    chmodSync(at('run.sh'), 0o755);
    tree.write({
      'data.bin': Buffer.from([255, 0, 7]),
      'new.bin': Buffer.alloc(70_000, 3),
      'a.bat': 'echo\r\necho\r\n',
    });
    for (const path of ['to-link', 'to-folder', 'to-file', 'only', 'link', 'to-plain'])
      rmSync(at(path), { recursive: true });
    symlinkSync('somewhere/else', at('to-link'));
    symlinkSync('data.bin', at('link'));
    tree.write({ 'to-folder/in/x': 'x\n', 'to-file': 'file\n', 'to-plain': 'plain\n' });
    tree.git('mv', 'moved from.txt', 'moved to.txt');
  });
  expect(await applied('task-1')).toEqual(['applied']);
  expect(person.git('status', '--porcelain', '--ignored')).toBe('');
  expect(person.git('rev-parse', 'HEAD^{tree}')).toBe(person.git('rev-parse', `${head}^{tree}`));
  for (const name of odd) expect(person.read(name)).toBe(`${name}\n`);
  const root = (path: string): string => join(person.root, path);
  expect(statSync(root('run.sh')).mode & 0o111).not.toBe(0);
  expect(readlinkSync(root('to-link'))).toBe('somewhere/else');
  expect(readlinkSync(root('link'))).toBe('data.bin');
  expect(lstatSync(root('to-plain')).isFile()).toBe(true);
  expect(readFileSync(root('data.bin'))).toEqual(Buffer.from([255, 0, 7]));
  expect(person.read('a.bat')).toBe('echo\r\necho\r\n');
  expect(existsSync(root('only'))).toBe(false);
  expect(readdirSync(Buffer.from(person.root), { encoding: 'buffer' })).toContainEqual(Buffer.from([0x66, 0xff, 0xfe]));

  expect((await undoPatches(host, ['task-1'])).patches).toMatchObject([{ outcome: 'undone' }]);
  expect(person.git('status', '--porcelain', '--ignored')).toBe('');
  expect(person.git('diff', base)).toBe('');
  expect(existsSync(root('to-folder/in'))).toBe(false);
});

test('a person’s global settings of line endings hold, and an equal file in their form is no change', async () => {
  const person = await open({ 'a.txt': 'one\ntwo\n' });
  person.git('config', 'core.autocrlf', 'true');
  person.write({ 'a.txt': 'one\r\ntwo\r\n' });
  await make(person, 'task-1', (tree) => tree.write({ 'a.txt': 'one\r\ntwo\r\nthree\r\n', 'b.txt': 'b\r\n' }));
  expect(await applied('task-1')).toEqual(['applied']);
  expect(person.read('a.txt')).toBe('one\r\ntwo\r\nthree\r\n');
  expect(person.read('b.txt')).toBe('b\r\n');
  expect(person.git('show', 'HEAD:a.txt')).toBe('one\ntwo\nthree');
  expect(person.git('status', '--porcelain')).toBe('');
});

describe('a repository of another form', () => {
  const edit = (tree: PersonRepository): void => tree.write({ 'a.txt': 'new\n' });

  test('a split index and a version 4 index are read, and the result is one that git takes', async () => {
    const person = await open({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
    await make(person, 'task-1', edit);
    person.git('update-index', '--index-version', '4');
    person.git('config', 'core.splitIndex', 'true');
    person.write({ 'staged.txt': 's\n' });
    person.git('add', 'staged.txt');
    expect(await applied('task-1')).toEqual(['applied']);
    expect(person.git('status', '--porcelain')).toBe('A  staged.txt');
    person.git('commit', '-q', '-m', 'Staged');
    person.git('fsck', '--strict');
  });

  test('ids of SHA-256 are taken', async () => {
    const person = makePersonRepository({ 'a.txt': 'a\n', 'b.txt': 'b\n' }, ['--object-format=sha256']);
    host = await openHost(redis, person);
    await make(person, 'task-1', (tree) => {
      edit(tree);
      tree.write({ 'n.txt': 'n\n' });
      tree.git('rm', '-q', 'b.txt');
    });
    expect(await applied('task-1')).toEqual(['applied']);
    expect((await undoPatches(host, ['task-1'])).patches).toMatchObject([{ outcome: 'undone' }]);
    expect(person.git('status', '--porcelain')).toBe('');
    expect(person.git('diff', 'HEAD~2')).toBe('');
  });

  test('a sparse checkout keeps its shape, and a path that it leaves out is refused', async () => {
    const person = await open({ 'a.txt': 'a\n', 'in/x.txt': 'x\n', 'out/y.txt': 'y\n' });
    await make(person, 'task-1', edit);
    await make(person, 'task-2', (tree) => tree.write({ 'out/y.txt': 'Y\n' }));
    person.git('sparse-checkout', 'set', '--cone', '--sparse-index', 'in');
    expect(await applied('task-1', 'task-2')).toEqual([
      'applied',
      'dirty: out/y.txt is left out of the working tree by the sparse checkout',
    ]);
    expect(existsSync(join(person.root, 'out'))).toBe(false);
    expect(person.git('status', '--porcelain')).toBe('');
  });

  test('a detached HEAD gets the commits, and the report says so', async () => {
    const person = await open({ 'a.txt': 'a\n' });
    await make(person, 'task-1', edit);
    person.git('checkout', '-q', '--detach');
    const before = person.git('rev-parse', 'main');
    const { notes } = await applyPatches(host, { ids: ['task-1'] });
    expect(notes).toEqual([expect.stringMatching(/^HEAD is detached: .*git switch -c NAME [0-9a-f]{40}/)]);
    expect(person.git('log', '-1', '--format=%s')).toBe('Do task-1');
    expect(person.git('rev-parse', 'main')).toBe(before);
  });

  test('a branch that another working tree has checked out does not move', async () => {
    const person = await open({ 'a.txt': 'a\n' });
    await make(person, 'task-1', edit);
    person.git('worktree', 'add', '-q', '-f', '../other', 'main');
    expect(await applied('task-1')).toEqual([expect.stringContaining('refused: main is checked out in another')]);
    expect(person.git('status', '--porcelain')).toBe('');
  });

  test('an index that holds nothing is no working tree to change', async () => {
    const person = await open({ 'a.txt': 'a\n' });
    await make(person, 'task-1', edit);
    rmSync(join(person.root, '.git/index'));
    expect(await applied('task-1')).toEqual([expect.stringContaining('its index is empty')]);
    expect(person.read('a.txt')).toBe('a\n');
  });

  test('filters run for nobody: a filtered path is refused, and other patches leave it alone', async () => {
    const person = await open({ 'a.txt': 'a\n', 'x.big': 'pointer\n', '.gitattributes': '*.big filter=lfs\n' });
    await make(person, 'task-1', edit);
    await make(person, 'task-2', (tree) => tree.write({ 'x.big': 'other\n' }));
    await make(person, 'task-3', (tree) => tree.write({ '.gitattributes': '*.c filter=mine\n', 'y.c': 'y\n' }));
    writeFileSync(join(person.root, 'x.big'), 'the big content that the filter made\n');
    expect(await applied('task-1', 'task-2', 'task-3')).toEqual([
      'applied',
      'refused: x.big has the filter lfs, which the fleet does not run',
      'refused: y.c has the filter mine, which the fleet does not run',
    ]);
    expect(person.read('x.big')).toBe('the big content that the filter made\n');
    mkdirSync(join(person.root, 'empty'));
  });

  test('a submodule is not moved', async () => {
    const person = await open({ 'a.txt': 'a\n' });
    await make(person, 'task-1', (tree) => {
      tree.git('update-index', '--add', '--cacheinfo', `160000,${tree.git('rev-parse', 'HEAD')},sub`);
      mkdirSync(join(tree.root, 'sub'));
    });
    expect(await applied('task-1')).toEqual(['refused: sub is a submodule, which a patch cannot move']);
  });
});
