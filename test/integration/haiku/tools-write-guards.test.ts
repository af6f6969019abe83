import { chmod, chown, link, lstat, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ToolOutcome } from '../../../src/haiku/tools/tool.ts';
import { toSha256 } from '../../../src/haiku/tools/files/text-file.ts';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;

let site: ToolWorkspace;
beforeEach(async () => {
  site = await createToolWorkspace();
});
afterEach(() => {
  if (isRoot) process.seteuid?.(0);
});

const at = (path: string) => join(site.root, path);
const read = (file_path: string) => site.use('read', { file_path });

/** Every tool that changes a file's content, with a call that would change this one. */
const CHANGES: [string, () => Promise<ToolOutcome>][] = [
  ['write', () => site.use('write', { file_path: 'a.txt', content: 'new\n' })],
  ['edit', () => site.use('edit', { file_path: 'a.txt', old_string: 'old', new_string: 'new' })],
  ['csv_transform', () => site.use('csv_transform', { data: 'id\n1\n', out_file: 'a.txt' })],
];

async function expectRefused(outcome: ToolOutcome, said: RegExp): Promise<void> {
  expect(outcome.isError).toBe(true);
  expect(outcome.content).toMatch(said);
  expect(outcome.content).not.toContain(site.root);
  expect((await readdir(site.root)).filter((name) => name.startsWith('.tmp'))).toEqual([]);
}

describe.each(CHANGES)('%s', (_tool, change) => {
  test.each([
    ['Latin-1', Buffer.from('old caf\xe9 = 1\n', 'latin1'), /not UTF-8 text: byte 0xe9 at offset 7/],
    ['UTF-16', Buffer.from('\uFEFFold\n', 'utf16le'), /is UTF-16LE text/],
    ['binary', Buffer.from('old\0\x01'), /binary/],
  ])('leaves a %s file as it is, and says what it is', async (_what, bytes, said) => {
    await site.put('a.txt', bytes);
    await expectRefused(await change(), said); // reading it first would be in vain
    site.context.state.seen.set('a.txt', await sha256Of('a.txt')); // as if the task knew every byte
    await expectRefused(await change(), said);
    expect(await readFile(at('a.txt'))).toEqual(bytes);
  });

  test.each([0o444, 0o400, 0o555, 0o044])('leaves a file of mode %o as it is, also as root', async (mode) => {
    await site.put('a.txt', 'old\n');
    site.context.state.seen.set('a.txt', await sha256Of('a.txt'));
    await chmod(at('a.txt'), mode);
    await expectRefused(await change(), /read-only \(mode 0\d{3}\)|permission denied/);
    expect((await stat(at('a.txt'))).mode & 0o777).toBe(mode);
  });

  test('leaves a file with a second hard link as it is', async () => {
    await site.put('a.txt', 'old\n');
    await link(at('a.txt'), at('b.txt'));
    await read('a.txt');
    await expectRefused(await change(), /has 2 hard links/);
    expect(await readFile(at('b.txt'), 'utf8')).toBe('old\n');
    expect((await lstat(at('a.txt'))).ino).toBe((await lstat(at('b.txt'))).ino);
  });

  test.runIf(isRoot)('leaves a file of another user as it is, also as root', async () => {
    await site.put('a.txt', 'old\n');
    await chown(at('a.txt'), NOBODY, NOBODY);
    await read('a.txt');
    await expectRefused(await change(), /belongs to another user \(uid 65534/);
    expect(await lstat(at('a.txt'))).toMatchObject({ uid: NOBODY, gid: NOBODY });
  });

  test.runIf(isRoot)('leaves a file of another user as it is in a folder that this user may write', async () => {
    await site.put('a.txt', 'old\n');
    await chmod(at('a.txt'), 0o666);
    await openToNobody();
    await read('a.txt');
    process.seteuid?.(NOBODY);
    await expectRefused(await change(), /belongs to another user \(uid 0, this is uid 65534\)/);
    expect(await readFile(at('a.txt'), 'utf8')).toBe('old\n');
  });
});

describe('a file that may be written', () => {
  test.runIf(isRoot)('keeps its owner where root writes in the workspace of that user', async () => {
    await site.put('a.txt', 'old\n');
    await chown(site.root, NOBODY, NOBODY);
    await chown(at('a.txt'), NOBODY, 12_345);
    await chmod(at('a.txt'), 0o6755);
    await read('a.txt');
    expect(await site.use('write', { file_path: 'a.txt', content: 'new\n' })).toMatchObject({ isError: false });
    const { uid, gid, mode } = await stat(at('a.txt'));
    expect([uid, gid, mode & 0o7777]).toEqual([NOBODY, 12_345, 0o6755]);
  });

  test.runIf(isRoot)('is left as it is where a plain user could not keep its group', async () => {
    await site.put('a.txt', 'old\n');
    await chown(at('a.txt'), NOBODY, 12_345);
    await openToNobody();
    await read('a.txt');
    process.seteuid?.(NOBODY);
    const outcome = await site.use('write', { file_path: 'a.txt', content: 'new\n' });
    await expectRefused(outcome, /its group \(gid 12345\).*could not be kept/);
    expect(await lstat(at('a.txt'))).toMatchObject({ uid: NOBODY, gid: 12_345 });
  });

  test('keeps every bit of its mode', async () => {
    await site.put('a.txt', 'old\n');
    for (const mode of [0o600, 0o640, 0o755, 0o200, 0o4755, 0o2770, 0o1644]) {
      await chmod(at('a.txt'), 0o600);
      site.context.state.seen.set('a.txt', await sha256Of('a.txt'));
      await chmod(at('a.txt'), mode);
      const content = `mode ${mode}\n`;
      const outcome = await site.use('write', { file_path: 'a.txt', content });
      if (mode === 0o200 && !isRoot) continue; // this user cannot read it
      expect(outcome).toMatchObject({ isError: false });
      expect((await stat(at('a.txt'))).mode & 0o7777).toBe(mode);
    }
  });

  test('is written where a killed process left its half, which goes', async () => {
    const half = `.tmp-${toSha256('a.txt').slice(0, 16)}-x`;
    const other = `.tmp-${toSha256('b.txt').slice(0, 16)}-x`; // another file's: it may be being written
    for (const name of [half, other]) await site.put(`sub/${name}`, 'ne');
    await site.use('write', { file_path: 'sub/a.txt', content: 'new\n' });
    expect((await readdir(at('sub'))).toSorted()).toEqual([other, 'a.txt']);
  });

  test('holds no half of a character afterwards', async () => {
    await expectRefused(await site.use('write', { file_path: 'a.txt', content: 'a\uD83Db' }), /half a character/);
    expect(await readdir(site.root)).toEqual([]);
  });
});

async function sha256Of(path: string): Promise<string> {
  return toSha256(await readFile(at(path)));
}

async function openToNobody(): Promise<void> {
  const base = dirname(site.root);
  for (const folder of [base, site.root]) await chmod(folder, 0o777);
}
