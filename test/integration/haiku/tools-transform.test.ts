import { execFileSync } from 'node:child_process';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { resolveWorkspace } from '../../../src/haiku/resolve-workspace.ts';
import { createTransformer } from '../../../src/haiku/tools/data/run-transform.ts';
import { ToolRefusal } from '../../../src/haiku/tools/tool-refusal.ts';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

let site: ToolWorkspace;
beforeEach(async () => {
  site = await createToolWorkspace();
});

const CSV = 'name,team,age\nAda,red,36\nBob,blue,9\n"Cy, the ""third""",red,101\n';

describe('csv_transform', () => {
  test('filters, sorts by number, limits and selects the rows of a file', async () => {
    await site.put('people.csv', CSV);
    const outcome = await site.use('csv_transform', {
      file: 'people.csv',
      where: [{ field: 'team', op: 'eq', value: 'red' }],
      sort_by: 'age',
      descending: true,
      limit: 1,
      select: ['age', 'name'],
    });
    expect(outcome.content).toBe('age,name\n101,"Cy, the ""third"""\n');
  });

  test('counts rows by a field and turns them into JSON', async () => {
    const outcome = await site.use('csv_transform', { data: CSV, group_count: 'team', to: 'json' });
    expect(JSON.parse(outcome.content)).toEqual([
      { team: 'red', count: 2 },
      { team: 'blue', count: 1 },
    ]);
  });

  test('writes a file under the rules of write, in place too', async () => {
    await site.put('people.csv', CSV);
    const rules = { file: 'people.csv', select: ['name'] };
    expect((await site.use('csv_transform', { ...rules, out_file: 'names.csv' })).changes?.[0]).toMatchObject({
      path: 'names.csv',
      added: 4,
    });
    expect((await site.use('csv_transform', { ...rules, out_file: 'people.csv' })).isError).toBe(false);
    expect(await readFile(join(site.root, 'people.csv'), 'utf8')).toMatch(/^name\nAda\nBob\n/);
    await site.put('theirs.csv', 'x');
    expect((await site.use('csv_transform', { ...rules, out_file: 'theirs.csv' })).content).toContain(
      'has not read it',
    );
  });

  test.each([
    [{ data: 'a,b\n1\n' }, /not CSV: line 2/],
    [{ data: CSV, delimiter: '"' }, /expected one character/],
    [{ data: CSV, select: ['nmae'] }, /select: there is no "nmae"; there are "name", "team", "age"/],
    [{ data: 'a', file: 'a' }, /either "file" or "data"/],
    [{}, /either "file" or "data"/],
    [{ file: 'nowhere.csv' }, /no such file/],
    [{ file: '../outside/secret.txt' }, /outside/],
    [{ file: '.env' }, /secrets/],
    [{ data: CSV, out_file: '../outside/new.csv' }, /outside/],
    [{ data: CSV, out_file: '.git/hooks/x' }, /\.git/],
  ])('says what is wrong with %j', async (input, said) => {
    await site.put('.env', 'A,B\n1,2\n');
    const outcome = await site.use('csv_transform', input);
    expect(outcome).toMatchObject({ isError: true, content: expect.stringMatching(said) });
  });

  test('keeps the byte order mark and the line ends of a file', async () => {
    await site.put('excel.csv', '\ufeffid;größe\r\n1;2\r\n3;4\r\n');
    const rules = { file: 'excel.csv', where: [{ field: 'id', op: 'eq', value: 3 }] };
    expect((await site.use('csv_transform', { ...rules, out_file: 'excel.csv' })).content).toMatch(/ 1 row$/);
    expect(await readFile(join(site.root, 'excel.csv'), 'utf8')).toBe('\ufeffid;größe\r\n3;4\r\n');
  });

  test('transforms a file of 9 MB', async () => {
    const line = `Ada,${'x'.repeat(500)}\n`;
    await site.put('large.csv', `name,text\n${line.repeat(18_000)}Bob,y\n`);
    const rules = { file: 'large.csv', where: [{ field: 'name', op: 'eq', value: 'Bob' }] };
    expect((await site.use('csv_transform', rules)).content).toBe('name,text\nBob,y\n');
  });

  test('names what to do with a file that is too large, and can be done', async () => {
    await site.put('larger.csv', Buffer.alloc(17 * 2 ** 20, 'a\n'));
    const outcome = await site.use('csv_transform', { file: 'larger.csv' });
    expect(outcome.content).toMatch(/larger\.csv": 17825792 bytes, the limit .* is 16777216; split it/);
  });

  test('reads a file of tabs by its name, and a tab in two signs', async () => {
    await site.put('a.tsv', 'a,b\tc\n1,2\t3\n');
    expect((await site.use('csv_transform', { file: 'a.tsv', select: ['c'] })).content).toBe('c\n3\n');
    expect(
      (await site.use('csv_transform', { data: 'a,b\tc\n1,2\t3\n', delimiter: String.raw`\t`, select: ['c'] })).content,
    ).toBe('c\n3\n');
  });

  test('refuses a FIFO', async () => {
    execFileSync('mkfifo', [join(site.root, 'pipe.csv')]);
    expect((await site.use('csv_transform', { file: 'pipe.csv' })).isError).toBe(true);
  });
});

describe('json_transform', () => {
  const data = { items: [{ id: 1, tag: { name: 'x' } }, { id: 2, tag: null }, { id: 10 }] };

  test('picks a part by its path', async () => {
    expect((await site.use('json_transform', { data, path: 'items.0.tag' })).content).toBe('{\n  "name": "x"\n}\n');
    expect((await site.use('json_transform', { data, path: 'items.7' })).content).toContain('nothing at path');
    expect((await site.use('json_transform', { data, path: 'constructor' })).isError).toBe(true);
  });

  test('treats a list of objects as rows', async () => {
    const input = { data, path: 'items', where: [{ field: 'id', op: 'gt', value: 1 }], select: ['id', 'tag.name'] };
    expect((await site.use('json_transform', { ...input, to: 'csv' })).content).toBe('id,tag.name\n2,\n10,\n');
    expect((await site.use('json_transform', { ...input, path: '' })).content).toContain('expected a list of objects');
  });

  test('takes data as text and as a value, and refuses a value whose number was rounded on the way', async () => {
    const text = '[{"id":9007199254740993}]';
    expect((await site.use('json_transform', { data: text, to: 'jsonl' })).content).toBe('{"id":9007199254740993}\n');
    await site.put('one.json', '1');
    expect((await site.use('json_transform', { data: null, file: 'one.json' })).content).toBe('1\n');
    expect((await site.use('json_transform', { data: [{ id: 1.5 }], to: 'jsonl' })).content).toBe('{"id":1.5}\n');
    expect((await site.use('json_transform', { data: JSON.parse(text) as unknown })).content).toContain(
      'data: 9007199254740992 may have been rounded on its way here; give data as a JSON text',
    );
  });

  test('writes numbers and fields as they were, also to a file and as JSON lines', async () => {
    const line = '{"id":9007199254740993,"2024":1.0,"2023":1e400,"a":-0}';
    await site.put('a.jsonl', `${line}\n`);
    await site.use('json_transform', { file: 'a.jsonl', out_file: 'b.json' });
    expect((await readFile(join(site.root, 'b.json'), 'utf8')).replaceAll(/\s/g, '')).toBe(`[${line}]`);
    await site.use('json_transform', { file: 'b.json', sort_by: 'id', to: 'jsonl', out_file: 'c.jsonl' });
    expect(await readFile(join(site.root, 'c.jsonl'), 'utf8')).toBe(`${line}\n`);
  });

  test('refuses a table that would be far larger than its data', async () => {
    const rows = Array.from({ length: 8_000 }, (_, i) => `{"key${i}":${i}}`);
    const outcome = await site.use('json_transform', { data: `[${rows.join(',')}]`, to: 'csv' });
    expect(outcome).toMatchObject({ isError: true, content: expect.stringContaining('8000 rows × 8000 columns') });
  });

  test('ends at its limit of time, with the reason and what to do', async () => {
    const { json } = createTransformer({ deadlineMs: 1, memoryMb: 256 });
    const source = `[${'1.0,'.repeat(1_000_000)}1]`;
    const request = { source, name: 'data', steps: {}, to: 'json', path: '', isLines: false } as const;
    const run = json(request, new AbortController().signal);
    await expect(run).rejects.toThrow('data: expected to take at most 1 ms; keep fewer rows');
    await expect(run).rejects.toBeInstanceOf(ToolRefusal);
  });

  test('reads a file and says where it is not JSON', async () => {
    await site.put('a.json', '{"a": }');
    expect((await site.use('json_transform', { file: 'a.json' })).content).toContain('is not JSON');
  });
});

describe('a workspace', () => {
  test('is found by its name, through a link too', async () => {
    await symlink(site.root, join(site.outside, 'link'));
    const workspaces = { site: join(site.outside, 'link') };
    expect(await resolveWorkspace('site', workspaces)).toEqual({ name: 'site', root: site.root });
    expect(await resolveWorkspace(undefined, workspaces)).toBeNull();
  });

  test('that is unknown, missing or no folder fails the task, naming those that are known', async () => {
    const workspaces = { gone: join(site.outside, 'gone'), file: join(site.outside, 'secret.txt') };
    await expect(resolveWorkspace('other', workspaces)).rejects.toMatchObject({
      reason: 'workspace',
      message: expect.stringContaining('known: gone, file'),
    });
    await expect(resolveWorkspace('constructor', workspaces)).rejects.toMatchObject({ reason: 'workspace' });
    await expect(resolveWorkspace('gone', workspaces)).rejects.toMatchObject({ reason: 'workspace' });
    await expect(resolveWorkspace('file', workspaces)).rejects.toMatchObject({ reason: 'workspace' });
  });

  test('may hold folders with odd names', async () => {
    const name = ' -rf $(id) "\n';
    await mkdir(join(site.root, name));
    await site.put(`${name}/a.txt`, 'x');
    expect((await site.use('read', { file_path: `${name}/a.txt` })).content).toMatch(/^ {5}1\tx\n/);
  });
});
