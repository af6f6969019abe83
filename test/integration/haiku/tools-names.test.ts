import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

// ệ has one composed form and three others
const COMPOSED = '\u1ec7.txt';
const ONE = 'e\u0323\u0302.txt';
const OTHER = '\u00ea\u0323.txt';

let site: ToolWorkspace;
beforeEach(async () => {
  site = await createToolWorkspace();
});

const read = (file_path: string) => site.use('read', { file_path });
const write = (file_path: string, content: string) => site.use('write', { file_path, content });
const namesIn = async (folder = ''): Promise<string[]> => (await readdir(join(site.root, folder))).toSorted();

describe('a name in another Unicode form is that of the file that there is', () => {
  test.each([
    ['decomposed, asked for composed', 'cafe\u0301.txt', 'caf\u00e9.txt'],
    ['composed, asked for decomposed', 'caf\u00e9.txt', 'cafe\u0301.txt'],
    ['in neither form', OTHER, COMPOSED],
    ['Hangul', '\u1112\u1161\u11ab.txt', '\ud55c.txt'],
    ['the Kelvin sign, asked for as K', '\u212a.txt', 'K.txt'],
    ['folders, too', 'e\u0301te\u0301/me\u0301mo.md', '\u00e9t\u00e9/m\u00e9mo.md'],
  ])('%s', async (_what, stored, asked) => {
    await site.put(stored, 'old\n');
    const before = await namesIn();
    expect((await write(asked, 'blind\n')).content).toContain('has not read it');
    expect((await read(asked)).seen).toHaveProperty([stored]);
    expect((await site.use('edit', { file_path: asked, old_string: 'old', new_string: 'new' })).changes).toMatchObject([
      { path: stored },
    ]);
    expect((await write(asked, 'newer\n')).changes).toMatchObject([{ path: stored }]);
    expect((await site.use('csv_transform', { data: 'id\n1\n', out_file: asked })).isError).toBe(false);
    expect(await readFile(join(site.root, stored), 'utf8')).toContain('1');
    expect(await namesIn()).toEqual(before);
  });

  test('a new file goes into the folder that there is', async () => {
    await mkdir(join(site.root, 'e\u0301'));
    expect((await write('\u00e9/new/caf\u00e9.txt', 'x\n')).changes).toMatchObject([
      { path: 'e\u0301/new/caf\u00e9.txt' },
    ]);
    expect(await namesIn()).toEqual(['e\u0301']);
  });

  test('folders to search, too', async () => {
    await site.put('e\u0301/a.txt', 'tea\n');
    expect((await site.use('glob', { pattern: '*', path: '\u00e9' })).content).toContain('a.txt');
    expect((await site.use('grep', { pattern: 'tea', path: '\u00e9' })).content).toContain('tea');
  });

  test('and of a file of secrets that the task lists', async () => {
    await site.put('.env.cafe\u0301', 'A=1\n');
    expect((await read('.env.caf\u00e9')).isError).toBe(true);
    site.context.files.push('.env.caf\u00e9');
    expect((await read('.env.caf\u00e9')).content).toContain('A=1');
  });
});

test('a file of exactly the name comes first', async () => {
  await site.put('caf\u00e9.txt', 'composed\n');
  await site.put('cafe\u0301.txt', 'decomposed\n');
  expect((await read('caf\u00e9.txt')).content).toContain('\tcomposed');
  expect((await read('cafe\u0301.txt')).content).toContain('\tdecomposed');
});

test('two names that look like the one that is asked for are both named, and neither is taken', async () => {
  await site.put(ONE, 'one\n');
  await site.put(OTHER, 'other\n');
  for (const outcome of [await read(COMPOSED), await write(COMPOSED, 'x')]) {
    expect(outcome.isError).toBe(true);
    expect(outcome.content).toContain(String.raw`"e\u0323\u0302.txt" and "\u00ea\u0323.txt"`);
  }
  expect(await namesIn()).toEqual([ONE, OTHER].toSorted());
});

test('names outside the workspace are not looked at', async () => {
  await symlink(site.outside, join(site.root, 'out'));
  const outcome = await read('out/secre\u0301t.txt');
  expect(outcome.isError).toBe(true);
  expect(outcome.content).toContain('outside');
});
