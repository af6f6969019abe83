import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { toSha256 } from '../../../src/haiku/tools/files/text-file.ts';
import { createToolState } from '../../../src/haiku/tools/tool.ts';
import { parseReadResult } from '../../../simulator/model/task/read-result.ts';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

let site: ToolWorkspace;
beforeEach(async () => {
  site = await createToolWorkspace();
});

const read = (file_path: string) => site.use('read', { file_path });
const write = (file_path: string, content: string) => site.use('write', { file_path, content });

describe('paths', () => {
  const hostile = [
    '../outside/secret.txt',
    'a/../../outside/secret.txt',
    '/etc/passwd',
    'link-out',
    'folder-out/secret.txt',
    'chain/secret.txt',
    'a\0b',
    '.git/config',
    '.GIT/config',
    'sub/.git/hooks/post-commit',
    'git-link/config',
  ];
  beforeEach(async () => {
    await site.put('.git/config', '[core]');
    await symlink(join(site.outside, 'secret.txt'), join(site.root, 'link-out'));
    await symlink(site.outside, join(site.root, 'folder-out'));
    await symlink('folder-out', join(site.root, 'chain'));
    await symlink('.git', join(site.root, 'git-link'));
  });

  test.each(hostile)('cannot be read: %j', async (path) => {
    const outcome = await read(path);
    expect(outcome.isError).toBe(true);
    expect(outcome.content).not.toContain(site.outside);
  });

  test.each([...hostile, 'folder-out/new.txt', 'dangling'])('cannot be written: %j', async (path) => {
    await symlink(join(site.outside, 'new.txt'), join(site.root, 'dangling'));
    expect((await write(path, 'hostile')).isError).toBe(true);
    expect(await readdir(site.outside)).toEqual(['secret.txt']);
    expect(await readFile(join(site.root, '.git/config'), 'utf8')).toBe('[core]');
  });

  test.each([
    '.env',
    '.ENV.local',
    'deploy/.envrc',
    'tls/server.PEM',
    'id_rsa.pub',
    '.npmrc',
    'Credentials.json',
    '.ssh/config',
  ])('with a secret name are refused: %s', async (path) => {
    await site.put(path, 'secret');
    const outcome = await read(path);
    expect(outcome.isError).toBe(true);
    expect(outcome.content).toContain('"files"');
    expect((await write(path, 'x')).isError).toBe(true);
    expect((await write(`new/${path}`, 'x')).isError).toBe(true);
  });

  test('reach a secret name only when the task lists that very file', async () => {
    await site.put('.env', 'A=1');
    await site.put('sub/.env', 'B=1');
    await symlink('.env', join(site.root, 'settings'));
    site.context.files.push('./.env');
    expect((await read('.env')).content).toContain('\tA=1');
    expect((await read('settings')).content).toContain('\tA=1');
    expect((await read('sub/.env')).isError).toBe(true);
  });

  test('reach no secret through a link with a harmless name', async () => {
    await site.put('.env', 'A=1');
    await symlink('.env', join(site.root, 'settings'));
    expect((await read('settings')).isError).toBe(true);
  });

  test('follow a link that stays inside, and name the real file', async () => {
    await site.put('real.txt', 'here');
    await symlink('real.txt', join(site.root, 'alias'));
    expect((await read('alias')).seen).toHaveProperty(['real.txt']);
    expect((await write('alias', 'there')).changes?.[0]?.path).toBe('real.txt');
    expect(await readFile(join(site.root, 'real.txt'), 'utf8')).toBe('there');
  });
});

describe('write and edit', () => {
  test('make a new file with its folders', async () => {
    const outcome = await write('a/b/c.txt', 'one\ntwo\n');
    expect(outcome.changes).toEqual([{ path: 'a/b/c.txt', added: 2, removed: 0, lines: '1-2' }]);
    expect(await readFile(join(site.root, 'a/b/c.txt'), 'utf8')).toBe('one\ntwo\n');
  });

  test('refuse a file this task has not read', async () => {
    await site.put('a.txt', 'theirs');
    expect((await write('a.txt', 'mine')).content).toContain('has not read it');
    expect((await site.use('edit', { file_path: 'a.txt', old_string: 'theirs', new_string: 'mine' })).isError).toBe(
      true,
    );
    expect(await readFile(join(site.root, 'a.txt'), 'utf8')).toBe('theirs');
  });

  test('refuse a file that changed since it was read, until it is read again', async () => {
    await site.put('a.txt', 'one');
    await read('a.txt');
    await writeFile(join(site.root, 'a.txt'), 'two');
    const edit = { file_path: 'a.txt', old_string: 'two', new_string: 'three' };
    expect((await site.use('edit', edit)).content).toContain('changed since');
    await read('a.txt');
    expect((await site.use('edit', edit)).isError).toBe(false);
  });

  test('know the file they wrote themselves', async () => {
    await write('a.txt', 'one\n');
    expect((await write('a.txt', 'two\n')).isError).toBe(false);
    expect((await site.use('edit', { file_path: 'a.txt', old_string: 'two', new_string: '$& three' })).isError).toBe(
      false,
    );
    expect(await readFile(join(site.root, 'a.txt'), 'utf8')).toBe('$& three\n');
    expect(site.context.state.changes.get('a.txt')).toEqual({ path: 'a.txt', added: 3, removed: 2, lines: '1-1' });
  });

  test('keep the mode of a file and leave no temporary file', async () => {
    await site.put('run.sh', 'old');
    await chmod(join(site.root, 'run.sh'), 0o750);
    await read('run.sh');
    await write('run.sh', 'new');
    expect((await stat(join(site.root, 'run.sh'))).mode & 0o777).toBe(0o750);
    expect(await readdir(site.root)).toEqual(['run.sh']);
  });

  test('edit only what is unique, unless all is meant', async () => {
    await site.put('a.txt', 'x\ny\nx\n');
    await read('a.txt');
    const edit = { file_path: 'a.txt', old_string: 'x', new_string: 'z' };
    expect((await site.use('edit', edit)).content).toContain('occurs 2 times');
    expect((await site.use('edit', { ...edit, old_string: 'q' })).content).toContain('does not occur');
    const all = await site.use('edit', { ...edit, replace_all: true });
    expect(all.changes).toEqual([{ path: 'a.txt', added: 2, removed: 2, lines: '1-3' }]);
  });

  test('keep CRLF and the byte order mark, and say so', async () => {
    await site.put('a.txt', '\uFEFFone\r\ntwo\r\n');
    await read('a.txt');
    await site.use('edit', { file_path: 'a.txt', old_string: 'two', new_string: 'two\nthree' });
    expect(await readFile(join(site.root, 'a.txt'), 'utf8')).toBe('\uFEFFone\r\ntwo\r\nthree\r\n');
    const outcome = await write('a.txt', 'one\nfour\n');
    expect(outcome.content).toContain('(its byte order mark and CRLF line ends kept: 14 bytes)');
    expect(outcome.changes).toEqual([{ path: 'a.txt', added: 1, removed: 2, lines: '2-2' }]);
    expect(await readFile(join(site.root, 'a.txt'), 'utf8')).toBe('\uFEFFone\r\nfour\r\n');
    expect((await write('a.txt', 'one\nfour\n')).content).toContain('already had this content');
    await write('a.txt', 'one\r\ntwo\nthree\n'); // a CRLF in the content: the model chose
    expect(await readFile(join(site.root, 'a.txt'), 'utf8')).toBe('\uFEFFone\r\ntwo\nthree\n');
  });

  test('tell where a text that does not occur nearly does, and where one occurs too often', async () => {
    await site.put('a.ts', 'if (a) {\n\treturn 1;\n}\nif (a) {\n\treturn 2;\n}\n');
    await read('a.ts');
    const edit = (old_string: string, new_string = 'x') =>
      site.use('edit', { file_path: 'a.ts', old_string, new_string });
    expect((await edit('if (a) {\n  return 2;')).content).toMatch(
      /does not occur.*only in tabs[^]*\n {5}5\t\treturn 2;\n/,
    );
    expect((await edit('if (a)')).content).toContain('occurs 2 times (lines 1, 4)');
    expect((await edit('if (b) {', 'if (a) {\n\treturn')).content).toContain('new_string is in it already');
    expect((await edit('if (a)', 'if (a)')).content).toContain('are the same');
    expect((await edit('     2\t\treturn 1;')).content).toContain('not part of the file');
  });

  test('take no line numbers of read for text', async () => {
    await site.put('a.txt', 'one\ntwo\n');
    await read('a.txt');
    expect((await write('a.txt', '     1\tone\n     2\tthree\n')).content).toContain('not part of the file');
    const edit = { file_path: 'a.txt', old_string: 'two', new_string: '     2\tthree' };
    expect((await site.use('edit', edit)).content).toContain('not part of the file');
    expect(await readFile(join(site.root, 'a.txt'), 'utf8')).toBe('one\ntwo\n');
  });

  test('take a table that begins with numbers for what it is', async () => {
    await site.put('ids.tsv', 'id\tname\n12345\ttea\n');
    await read('ids.tsv');
    const edit = { file_path: 'ids.tsv', old_string: '12345\ttea', new_string: '123456\ttea' };
    expect((await site.use('edit', edit)).isError).toBe(false);
    expect((await write('ids.tsv', '123456\ttea\n123457\tmate\n')).isError).toBe(false);
    await write('listing.txt', '     1\tone\n'); // a new file may hold what it likes
    expect((await write('listing.txt', '     1\tone\n     2\ttwo\n')).isError).toBe(false);
  });

  test.each([
    ['each place grows', 'ab'.repeat(40_000), 'a', 'x'.repeat(1_000), /would grow to \d+ bytes with 40000 repl/],
    ['there are too many places', 'a'.repeat(300_000), 'a', 'b', /more than 200000 times/],
  ])('write no file without end, when %s', async (_what, text, old_string, new_string, said) => {
    await site.put('a.txt', text);
    site.context.state.seen.set('a.txt', toSha256(text));
    const outcome = await site.use('edit', { file_path: 'a.txt', old_string, new_string, replace_all: true });
    expect(outcome.content).toMatch(said);
    expect((await stat(join(site.root, 'a.txt'))).size).toBe(text.length);
  });

  test('refuse to edit what is not UTF-8, which writing back would damage', async () => {
    await site.put('latin.txt', Buffer.from([0x61, 0xe9, 0x0a]));
    expect((await read('latin.txt')).content).toContain('not UTF-8');
    expect((await site.use('edit', { file_path: 'latin.txt', old_string: 'a', new_string: 'b' })).isError).toBe(true);
  });

  test('ask whether the job is still ours before they write, and write nothing when it is not', async () => {
    site.context.stillMine = () => Promise.reject(new Error('lost'));
    await expect(write('a.txt', 'x')).rejects.toThrow('lost');
    expect(await readdir(site.root)).toEqual([]);
  });

  test('never lose one of many tasks that write one file at once, in one process or in several', async () => {
    await write('list.txt', '');
    const appendAs = async (task: number): Promise<void> => {
      vi.resetModules(); // modules of its own, like another process: only the lock file is shared
      const { createToolset: createOther } = await import('../../../src/haiku/toolset.ts');
      const toolset = createOther({ workspace: true, runAllow: [], httpAllow: [] });
      const context = { ...site.context, state: createToolState() };
      for (let refused = true; refused;) {
        const { content, seen } = await toolset.run('read', { file_path: 'list.txt' }, context);
        context.state.seen = new Map(Object.entries(seen ?? {}));
        const before = parseReadResult(content)?.text ?? '';
        const input = { file_path: 'list.txt', content: `${before}task ${task}\n` };
        refused = (await toolset.run('write', input, context)).isError;
      }
    };
    await Promise.all(Array.from({ length: 6 }, (_, task) => appendAs(task)));
    const lines = (await readFile(join(site.root, 'list.txt'), 'utf8')).trim().split('\n');
    expect(lines.toSorted()).toEqual(Array.from({ length: 6 }, (_, task) => `task ${task}`));
    expect(await readdir(site.context.lockFolder ?? '')).toEqual([]);
  });
});

test('an aborted task gets its abort reason, not an outcome', async () => {
  const reason = new Error('cancelled by a person');
  site.context.signal = AbortSignal.abort(reason);
  await expect(read('a.txt')).rejects.toBe(reason);
});

test.each([
  ['an unknown tool', 'bash', { command: 'id' }, /no such tool.*read, write/],
  ['input that is no object', 'read', 'a.txt', /breaks its schema/],
  ['a missing field', 'read', {}, /file_path/],
  ['a field too many', 'read', { file_path: 'a', force: true }, /force/],
])('%s is an answer to the model, not an error of the job', async (_what, tool, input, said) => {
  const outcome = await site.use(tool, input);
  expect(outcome.isError).toBe(true);
  expect(outcome.content).toMatch(said);
});
