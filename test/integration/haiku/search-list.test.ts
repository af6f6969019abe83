import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

let site: ToolWorkspace;
beforeEach(async () => {
  site = await createToolWorkspace();
  await site.put('.gitignore', '*.log\n/dist/\n');
  for (const path of ['README.md', 'a.log', 'dist/x.js', 'src/a.ts', 'src/deep/b.ts', 'src/c.log', '.github/ci.yml'])
    await site.put(path, 'text\n');
  for (const path of ['.env', 'tls/server.key', 'node_modules/x.js', '.git/config', 'logs/only.log'])
    await site.put(path, 'text\n');
  await mkdir(join(site.root, 'empty'));
});

const list = async (input: object = {}): Promise<string> => (await site.use('list', input)).content;

test('lists one folder with kinds and sizes, by the rule of grep and glob', async () => {
  await symlink(site.outside, join(site.root, 'out'));
  execFileSync('mkfifo', [join(site.root, 'pipe')]);
  expect((await list()).split('\n')).toEqual([
    'folder 1 .github',
    'file 13 .gitignore',
    'file 5 README.md',
    'folder 0 empty',
    'link - out',
    'other - pipe',
    'folder 2 src',
    'folder 0 tls',
    '[4 folders, 2 files of 18 bytes]',
    '[4 ignored entries left out; ignored: true shows them]',
  ]);
});

test('lists what is ignored if asked to, or named directly, and never .git or secrets', async () => {
  const all = await list({ ignored: true });
  for (const line of ['file 5 a.log', 'folder 1 dist', 'folder 1 node_modules', 'folder 1 logs', 'folder 3 src'])
    expect(all.split('\n')).toContain(line);
  expect(all).not.toMatch(/\.env|\.git$|left out/m);
  expect(await list({ path: 'dist' })).toBe('file 5 x.js\n[0 folders, 1 file of 5 bytes]');
  expect(await list({ path: 'tls' })).toBe('[0 folders, 0 files of 0 bytes]');
  site.context.files.push('.env');
  expect(await list()).toContain('file 5 .env\n');
});

test.each(['README.md', 'nowhere', '../outside', '.git', '.env'])(
  'refuses what is no folder of the site: %s',
  async (path) => {
    expect((await site.use('list', { path })).isError).toBe(true);
  },
);

test('shows any name, and at most limit entries', async () => {
  const names = ['-rf', 'a\nb', '[x]', 'e\u0301', 'ü', '🍐 pear'];
  for (const name of names) await site.put(`odd/${name}`, '');
  await writeFile(Buffer.concat([Buffer.from(`${site.root}/odd/`), Buffer.from([0xff])]), '');
  expect((await list({ path: 'odd' })).split('\n')).toEqual([
    'file 0 -rf',
    'file 0 "[x]"',
    String.raw`file 0 "a\nb"`,
    'file 0 e\u0301',
    'file 0 ü',
    'file 0 🍐 pear',
    '[0 folders, 6 files of 0 bytes]',
    String.raw`[names that are not UTF-8, which no tool can open: "\xff"]`,
  ]);
  expect(await list({ path: 'odd', limit: 4 })).toContain('file 0 e\u0301\n[2 more entries; raise limit]\n');
});

test('grep, glob and list say so on a host without the package of the search', async () => {
  vi.resetModules();
  vi.doMock('@vscode/ripgrep', () => {
    throw new Error('Could not find it');
  });
  try {
    const { createToolset } = await import('../../../src/haiku/toolset.ts');
    const { checkSearch } = await import('../../../src/doctor/environment-checks.ts');
    const toolset = createToolset({ workspace: true, runAllow: [], httpAllow: [] });
    for (const [name, input] of [
      ['grep', { pattern: 'x' }],
      ['glob', { pattern: '*' }],
      ['list', {}],
    ] as const) {
      const { content, isError } = await toolset.run(name, input, site.context);
      expect(content).toMatch(/^this host has no ripgrep for \w+-\w+, so grep, glob and list do not work here/);
      expect(isError).toBe(true);
    }
    expect(await checkSearch()).toMatchObject({ ok: false, fix: expect.stringContaining('optional') });
  } finally {
    vi.doUnmock('@vscode/ripgrep');
    vi.resetModules();
  }
});

test('a folder that cannot be looked into is listed, and named as such', async (context) => {
  if (process.getuid?.() === 0) context.skip('root reads everything');
  await site.put('area/locked/a.ts', 'a');
  await chmod(join(site.root, 'area/locked'), 0);
  try {
    expect(await list({ path: 'area' })).toBe(
      'folder 0 locked\n[1 folder, 0 files of 0 bytes]\n[not looked into: area/locked (permission denied)]',
    );
    expect((await site.use('glob', { pattern: '**/*.ts', path: 'area' })).content).toBe(
      'no matches in what was listed\n[not listed: area/locked (permission denied)]',
    );
  } finally {
    await chmod(join(site.root, 'area/locked'), 0o700);
  }
});
