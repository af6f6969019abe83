import { execFileSync } from 'node:child_process';
import { rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

let site: ToolWorkspace;
beforeEach(async () => {
  site = await createToolWorkspace();
  await site.put('src/a.ts', 'export const needle = 1;\n');
  await site.put('src/deep/b.ts', 'one\ntwo needle\n');
  await site.put('.env', 'needle=secret\n');
  await site.put('tls/server.key', 'needle\n');
  await site.put('.git/config', 'needle\n');
  await site.put('node_modules/x/index.js', 'needle\n');
  await symlink(site.outside, join(site.root, 'folder-out'));
  await symlink(join(site.outside, 'secret.txt'), join(site.root, 'link-out.txt'));
  execFileSync('mkfifo', [join(site.root, 'pipe')]);
});

const grep = async (pattern: string, path?: string) => await site.use('grep', { pattern, path });
const glob = async (pattern: string, path?: string) => await site.use('glob', { pattern, path });

describe('grep', () => {
  test('finds lines in files that may be read, and in no others', async () => {
    const { content } = await grep('needle');
    expect(content.split('\n').toSorted()).toEqual([
      'src/a.ts:1:export const needle = 1;',
      'src/deep/b.ts:2:two needle',
    ]);
    expect((await grep('outside')).content).toBe('no matches');
  });

  test('searches one folder or one file', async () => {
    expect((await grep('needle', 'src/deep')).content).toBe('src/deep/b.ts:2:two needle');
    expect((await grep('^export', 'src/a.ts')).content).toBe('src/a.ts:1:export const needle = 1;');
  });

  test('shows a secret only to a task that lists its file', async () => {
    site.context.files.push('.env');
    expect((await grep('secret')).content).toBe('.env:1:needle=secret');
  });

  test('is not fooled by folders named like its own output', async () => {
    await site.put('x:1:/.env', 'needle=hidden\n');
    await site.put('x', Buffer.from('harmless'));
    expect((await grep('hidden')).content).toBe('no matches');
  });

  test.each(['../outside', 'folder-out', 'link-out.txt', '.git', '.env', 'pipe', 'nowhere'])(
    'refuses to search %s',
    async (path) => {
      expect((await grep('.', path)).isError).toBe(true);
    },
  );

  test('says what is wrong with a pattern', async () => {
    expect((await grep('(')).content).toBe('invalid regular expression: unclosed group');
  });
});

describe('glob', () => {
  test('lists files by their path in the workspace, without secrets and internals', async () => {
    expect((await glob('**')).content.split('\n')).toEqual(['25 src/a.ts', '15 src/deep/b.ts']);
    expect((await glob('*.ts', 'src')).content).toBe('25 src/a.ts');
    expect((await glob('{.env,tls/*}')).content).toBe('no matches');
  });

  test.each(['../**', '/etc/*', 'src/../../outside/*', '{..,src}/*', 'a{b', '[', 'a\0b'])(
    'refuses %j',
    async (pattern) => {
      expect((await glob(pattern)).isError).toBe(true);
    },
  );

  test.each(['folder-out/*', 'folder-out/secret.txt', '*/secret.txt', 'link-out.txt'])(
    'lists nothing outside: %s',
    async (pattern) => {
      expect((await glob(pattern)).content).toBe('no matches');
    },
  );
});

test('a link that takes the place of a folder between check and use leads nowhere', async () => {
  await site.put('folder/secret.txt', 'inside\n');
  const folder = join(site.root, 'folder');
  const aside = join(site.root, 'aside');
  const stop = new AbortController();
  const swapping = (async () => {
    while (!stop.signal.aborted) {
      await rename(folder, aside);
      await rm(folder, { recursive: true, force: true }); // a write may just have created it again
      await symlink(site.outside, folder).catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
      await rename(aside, folder).catch(() => rm(folder, { recursive: true }).then(() => rename(aside, folder)));
    }
  })();
  const shown: string[] = [];
  try {
    for (let round = 0; round < 300; round += 1) {
      shown.push((await site.use('read', { file_path: 'folder/secret.txt' })).content);
      if (round % 10 === 0) shown.push((await grep('side', 'folder')).content);
      if (round % 10 === 3) shown.push((await site.use('grep', { pattern: '^outside', output: 'count' })).content);
      if (round % 10 === 6) shown.push((await glob('folder/secret.*')).content);
      await site.use('write', { file_path: `folder/${round}.txt`, content: 'x' });
    }
  } finally {
    stop.abort();
    await swapping;
  }
  expect(shown.filter((content) => /(^|[:\t])outside|^[18] folder/m.test(content))).toEqual([]);
  expect(execFileSync('ls', [site.outside], { encoding: 'utf8' })).toBe('secret.txt\n');
});
