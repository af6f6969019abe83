import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { readFingerprint } from '../../../src/patches/apply/change/fingerprint.ts';
import type { PlacedPath } from '../../../src/patches/apply/change/journal.ts';
import {
  listWrittenLate,
  placeFiles,
  takeFilesBack,
  TreeMovedError,
  type Site,
} from '../../../src/patches/apply/change/place-files.ts';
import { makeFolder } from '../../support/folder.ts';

let site: Site;
let paths: PlacedPath[];
const top = (path: string): string => join(site.top, path);
const read = (path: string): string => readFileSync(top(path), 'utf8');

/** A change of `a` and `gone`, and a new file `new/b`, at the moment before its first effect. */
beforeEach(async () => {
  const folder = makeFolder({
    'tree/a': 'old\n',
    'tree/gone': 'gone\n',
    'work/new/a': 'new\n',
    'work/new/new/b': 'b\n',
  });
  site = { top: join(folder, 'tree'), folder: join(folder, 'work') };
  const print = async (path: string) => await readFingerprint(join(folder, path));
  paths = [
    { path: 'a', before: await print('tree/a'), after: await print('work/new/a') },
    { path: 'gone', before: await print('tree/gone'), after: null },
    { path: 'new/b', before: null, after: await print('work/new/new/b') },
  ];
});

test('puts new files in the place of old ones', async () => {
  await placeFiles(site, paths);
  expect([read('a'), read('new/b'), existsSync(top('gone'))]).toEqual(['new\n', 'b\n', false]);
  expect(await listWrittenLate(site, paths)).toEqual([]);
});

test.each<[string, () => void]>([
  ['an edit', () => writeFileSync(top('a'), 'mine\n')],
  ['an edit of the last file', () => writeFileSync(top('gone'), 'mine\n')],
  ['a deleted file', () => rmSync(top('a'))],
  ['a file that a link replaced', () => (rmSync(top('gone')), symlinkSync('a', top('gone')))],
  ['a new file', () => (mkdirSync(top('new')), writeFileSync(top('new/b'), 'mine\n'))],
  ['a file in the place of a folder', () => writeFileSync(top('new'), 'mine\n')],
  ['a link in the place of a folder', () => symlinkSync(site.folder, top('new'))],
  [
    'a folder in the place of a file',
    () => (rmSync(top('a')), mkdirSync(top('a')), writeFileSync(top('a/x'), 'mine\n')),
  ],
])('finds what a person did after the check, and takes all back: %s', async (_, change) => {
  change();
  const list = (): string[] =>
    ['a', 'a/x', 'gone', 'new', 'new/b'].map((path) => {
      try {
        return `${path}: ${readFileSync(top(path), 'utf8')}`;
      } catch (error) {
        return `${path}: ${error instanceof Error && 'code' in error ? String(error.code) : ''}`;
      }
    });
  const before = list();
  await expect(placeFiles(site, paths)).rejects.toThrow(TreeMovedError);
  expect(await takeFilesBack(site, paths)).toEqual([]);
  expect(list()).toEqual(before);
});

test('keeps what a person wrote into a file that was just put there, and tells of the version before', async () => {
  await placeFiles(site, paths);
  appendFileSync(top('a'), 'mine\n');
  expect(await takeFilesBack(site, paths)).toEqual(['a']);
  expect([read('a'), read('gone'), existsSync(top('new'))]).toEqual(['new\nmine\n', 'gone\n', false]);
  expect(readFileSync(join(site.folder, 'old/0'), 'utf8')).toBe('old\n');
});

test('taking back may be done again', async () => {
  await placeFiles(site, paths);
  for (let time = 0; time < 2; time += 1) expect(await takeFilesBack(site, paths)).toEqual([]);
  expect([read('a'), read('gone'), existsSync(top('new'))]).toEqual(['old\n', 'gone\n', false]);
});

test('names a file that a program still wrote to after it was moved away', async () => {
  await placeFiles(site, paths);
  appendFileSync(join(site.folder, 'old/0'), 'late\n');
  expect(await listWrittenLate(site, paths)).toEqual(['a']);
});
