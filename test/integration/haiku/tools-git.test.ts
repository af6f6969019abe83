import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

let site: ToolWorkspace;

/** The person's own git, which prepares the repository and looks at results. */
const person = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Person', '-c', 'user.email=person@example.invalid', ...args], {
    cwd: site.root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HOME: '/dev/null' },
  });

beforeEach(async () => {
  site = await createToolWorkspace();
  person('init', '-q', '-b', 'main');
  await site.put('a.txt', 'one\n');
  await site.put('.env', 'TOKEN=secret-one\n');
  person('add', '-A');
  person('commit', '-q', '-m', 'First');
});

const git = async (...args: string[]) => await site.use('git', { args });

describe('git', () => {
  test('shows, adds and commits', async () => {
    await site.put('a.txt', 'one\ntwo\n');
    await site.put('b.txt', 'new\n');
    expect((await git('status', '--short')).content).toBe(' M a.txt\n?? b.txt\n');
    expect((await git('diff')).content).toContain('+two');
    expect((await git('add', 'a.txt', 'b.txt')).isError).toBe(false);
    expect((await git('commit', '-m', 'Second')).content).toContain('Second');
    expect((await git('log', '--oneline', '-n', '1')).content).toMatch(/^[0-9a-f]{7} Second\n$/);
    expect((await git('show', '--stat', 'HEAD')).content).toContain('b.txt');
    expect((await git('show', 'HEAD~1:a.txt')).content).toBe('one\n');
    expect((await git('diff', 'HEAD~1..HEAD', '--', 'b.txt')).content).toContain('+new');
    expect((await git('log', '--follow', '-2', 'a.txt')).content).toContain('First');
    expect(person('log', '-1', '--format=%an <%ae>')).toBe('haiku-fleet worker <worker@haiku-fleet.invalid>\n');
  });

  test('commits as the author the repository names', async () => {
    person('config', 'user.name', 'Repo Bot');
    person('config', 'user.email', 'bot@example.invalid');
    await site.put('a.txt', 'two\n');
    await git('commit', '-am', 'Second');
    expect(person('log', '-1', '--format=%an')).toBe('Repo Bot\n');
  });

  test('makes branches and worktrees inside the workspace and tells the files that came', async () => {
    expect((await git('branch', 'side')).isError).toBe(false);
    const outcome = await git('worktree', 'add', 'trees/side', 'side');
    expect(outcome.isError).toBe(false);
    expect(outcome.changes?.map(({ path }) => path)).toContain('trees/side/a.txt');
    expect((await git('worktree', 'list')).content).not.toContain(site.root);
    await site.put('trees/side/a.txt', 'side\n');
    const commit = await site.use('git', { args: ['commit', '-a', '-m', 'Side'], cwd: 'trees/side' });
    expect(commit.isError).toBe(false);
    expect((await git('log', '--oneline', 'main..side')).content).toContain('Side');
    expect((await git('worktree', 'remove', 'trees/side')).isError).toBe(false);
  });

  test.each([['../elsewhere'], ['/tmp/elsewhere'], ['.git/tree'], ['out/tree']])(
    'makes no worktree at %s',
    async (path) => {
      await symlink(site.outside, join(site.root, 'out'));
      expect((await git('worktree', 'add', path)).isError).toBe(true);
      expect(await readdir(site.outside)).toEqual(['secret.txt']);
    },
  );

  test('says what failed', async () => {
    expect(await git('commit', '-m', 'Nothing')).toMatchObject({
      isError: true,
      content: expect.stringContaining('exit code 1'),
    });
    expect((await git('commit')).content).toContain('needs -m');
    expect((await git('log', 'no-such-branch')).isError).toBe(true);
  });
});

describe('git refuses', () => {
  test.each([
    ['push'],
    ['fetch', 'origin'],
    ['clone', 'https://example.invalid/x'],
    ['config', 'core.fsmonitor', 'touch x'],
    ['-c', 'core.pager=id', 'log'],
    ['-C', '..', 'log'],
    ['--exec-path=/tmp', 'log'],
    ['--git-dir=/tmp', 'log'],
    ['--work-tree=/', 'status'],
    ['log', '--output=x'],
    ['diff', '--output', 'x'],
    ['diff', '--ext-diff'],
    ['diff', '--textconv'],
    ['diff', '--no-index', '/etc/passwd', 'a.txt'],
    ['diff', '/etc/passwd', 'a.txt'],
    ['diff', '--', '/etc/passwd', 'a.txt'],
    ['diff', '--', '../outside/secret.txt', 'a.txt'],
    ['diff', '../outside/secret.txt', 'a.txt'],
    ['diff', 'HEAD', '-O/etc/passwd'],
    ['diff', '--no-ind', 'a', 'b'],
    ['log', '-L1,1:.env'],
    ['log', '--show-signature'],
    ['log', '--', ':(top)../x'],
    ['show', 'HEAD:.env'],
    ['show', 'HEAD:./.ENV'],
    ['show', ':.env'],
    ['show', ':0:.env'],
    ['add', '.env'],
    ['add', '.git/config'],
    ['add', '-p'],
    ['add', '-f', 'a.txt'],
    ['add', '--', '../outside/secret.txt'],
    ['add', '--pathspec-from-file=/etc/passwd'],
    ['commit', '-F', '/etc/passwd'],
    ['commit', '-m', 'x', '--author=A <a@b>'],
    ['commit', '-S', '-m', 'x'],
    ['branch', '--edit-description'],
    ['branch', '-u', 'origin/main'],
    ['worktree', 'move', 'a', '../b'],
    ['worktree', 'remove', '--force', 'x'],
    ['status', '\0'],
    [''],
  ])('%j %j %j', async (...args) => {
    const outcome = await git(...args);
    expect(outcome.isError).toBe(true);
    expect(outcome.content).not.toMatch(/root:|secret-one/);
    expect(await readdir(site.outside)).toEqual(['secret.txt']);
  });

  test('a repository above the workspace, beside it, or none', async () => {
    const { root } = site;
    await rename(join(root, '.git'), join(root, '../.git'));
    expect((await git('status')).content).toContain('no repository');
    await writeFile(join(root, '.git'), `gitdir: ${join(root, '../.git')}\n`);
    expect((await git('status')).content).toContain('outside the workspace');
  });

  test('a worktree that its configuration puts outside', async () => {
    person('config', 'core.worktree', site.outside);
    expect((await git('add', '-A')).content).toContain('outside the workspace');
  });

  test('a bare repository laid out by hand in the workspace', async () => {
    execFileSync('git', ['clone', '-q', '--bare', site.root, join(site.root, 'bare')]);
    const outcome = await site.use('git', { args: ['log', '--oneline'], cwd: 'bare' });
    expect(outcome.isError || !outcome.content.includes('bare')).toBe(true);
  });
});

describe('secrets in history', () => {
  beforeEach(async () => {
    await site.put('.env', 'TOKEN=secret-two\n');
    await site.put('keys/id_rsa', 'secret-three\n');
    await site.put('b.txt', 'plain\n');
  });

  test.each([
    [['diff']],
    [['diff', '--', '.']],
    [['diff', 'HEAD']],
    [['log', '-p']],
    [['log', '-p', '--', '.en*']],
    [['log', '-S', 'TOKEN', '-p']],
    [['show']],
    [['show', '--raw', 'HEAD']],
    [['show', 'HEAD', '--', '*']],
  ])('stay hidden from %j', async (args) => {
    expect((await git(...args)).content).not.toContain('secret-');
  });

  test('stay hidden from the id of their content', async () => {
    const id = person('rev-parse', 'HEAD:.env').trim();
    person('tag', 'the-blob', id);
    for (const revision of [id, id.slice(0, 10), 'the-blob']) {
      expect((await git('show', revision)).content).not.toContain('secret-');
      expect((await git('diff', revision, 'HEAD:a.txt')).content).not.toContain('secret-');
    }
  });

  test('are not committed with everything else', async () => {
    await git('add', '-A');
    await git('commit', '-m', 'All');
    expect(person('show', '--name-only', '--format=', 'HEAD').trim()).toBe('b.txt');
  });

  test('are open to a task that lists the file', async () => {
    site.context.files.push('.env');
    expect((await git('diff', '--', '.env')).content).toContain('secret-two');
    expect((await git('show', 'HEAD:.env')).content).toContain('secret-one');
    expect((await git('diff')).content).not.toContain('secret-');
  });
});

test('starts no program that the repository names', async () => {
  const trap = join(site.outside, 'trap.sh');
  const sprung = join(site.outside, 'sprung');
  await writeFile(trap, `#!/bin/sh\necho "$0 $*" >> ${sprung}\ncat\n`);
  await chmod(trap, 0o755);
  const settings = {
    'core.fsmonitor': trap,
    'core.pager': trap,
    'core.editor': trap,
    'core.sshCommand': trap,
    'core.hooksPath': join(site.root, 'hooks'),
    'diff.external': trap,
    'diff.evil.command': trap,
    'diff.evil.textconv': trap,
    'merge.evil.driver': trap,
    'filter.evil.clean': trap,
    'filter.evil.smudge': trap,
    'filter.evil.required': 'true',
    'filter.a=b.c.process': trap,
    'filter.a=b.c.clean': trap,
    'gpg.program': trap,
    'gpg.openpgp.program': trap,
    'commit.gpgSign': 'true',
    'log.showSignature': 'true',
    'format.pretty': 'format:%G? %s',
    'credential.helper': trap,
    'alias.status': `!${trap}`,
    'pager.log': trap,
    'trailer.sign.command': trap,
    'sequence.editor': trap,
    'protocol.ext.allow': 'always',
  };
  await mkdir(join(site.root, 'hooks'));
  for (const hook of [
    'pre-commit',
    'commit-msg',
    'post-commit',
    'post-checkout',
    'post-index-change',
    'reference-transaction',
  ]) {
    await symlink(trap, join(site.root, 'hooks', hook));
  }
  await site.put('.gitattributes', '*.txt diff=evil filter=evil merge=evil\n*.md filter=a=b.c\n');
  for (const [key, value] of Object.entries(settings)) execFileSync('git', ['config', key, value], { cwd: site.root });
  await site.put('a.txt', 'changed\n');
  await site.put('c.md', 'new\n');

  for (const args of [
    ['status'],
    ['diff'],
    ['add', '-A'],
    ['diff', '--cached'],
    ['commit', '-m', 'Trapped'],
    ['log', '-p'],
    ['show'],
    ['show', 'HEAD:a.txt'],
    ['branch', 'side'],
    ['worktree', 'add', 'tree', 'side'],
  ]) {
    const outcome = await git(...args);
    expect(outcome, args.join(' ')).toMatchObject({ isError: false });
  }
  await expect(readFile(sprung, 'utf8')).rejects.toThrow('ENOENT');
  expect((await git('show', 'HEAD:c.md')).content).toBe('new\n');
});

test('parallel tasks can add and commit without breaking each other', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 6 }, async (_, task) => {
      await site.put(`task-${task}.txt`, 'x\n');
      await git('add', `task-${task}.txt`);
      return await git('commit', '-m', `Task ${task}`, '--', `task-${task}.txt`);
    }),
  );
  expect(outcomes.filter(({ isError }) => isError)).toEqual([]);
  expect(person('rev-list', '--count', 'HEAD').trim()).toBe('7');
});
