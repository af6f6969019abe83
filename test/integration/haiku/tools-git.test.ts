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

/** Writes a file as the task does, after a read. */
async function write(path: string, content: string): Promise<void> {
  await site.use('read', { file_path: path });
  expect(await site.use('write', { file_path: path, content })).toMatchObject({ isError: false });
}

describe('git', () => {
  test('shows, adds and commits', async () => {
    await write('a.txt', 'one\ntwo\n');
    await write('b.txt', 'new\n');
    expect((await git('status', '--short')).content).toBe(' M a.txt\n?? b.txt\n');
    expect((await git('diff')).content).toContain('+two');
    expect((await git('add', 'a.txt', 'b.txt')).content).toBe('add a.txt\nadd b.txt');
    expect((await git('status', '--short')).content).toBe('M  a.txt\nA  b.txt\n');
    expect((await git('diff', '--cached')).content).toContain('+two');
    expect((await git('commit', '-m', 'Second')).content).toMatch(/^\[main [0-9a-f]{7}\] Second\n 2 files changed/);
    expect((await git('log', '--oneline', '-n', '1')).content).toMatch(/^[0-9a-f]{7} Second\n$/);
    expect((await git('show', '--stat', 'HEAD')).content).toContain('b.txt');
    expect((await git('show', 'HEAD~1:a.txt')).content).toBe('one\n');
    expect((await git('diff', 'HEAD~1..HEAD', '--', 'b.txt')).content).toContain('+new');
    expect((await git('log', '--follow', '-2', 'a.txt')).content).toContain('First');
    expect(person('log', '-1', '--format=%an <%ae>')).toBe('haiku-fleet <worker@haiku-fleet.invalid>\n');
    expect(person('status', '--short')).toBe('');
  });

  test('commits as the author that the worker names, with its trailers', async () => {
    site.context.commitAs = {
      name: 'Bot',
      email: 'bot@example.invalid',
      trailers: ['Fleet-Task: t-1', 'Fleet-Model: m'],
    };
    await write('a.txt', 'two\n');
    await git('commit', '-am', 'Second');
    expect(person('log', '-1', '--format=%an%n%B')).toBe('Bot\nSecond\n\nFleet-Task: t-1\nFleet-Model: m\n\n');
  });

  test('makes branches, and deletes and renames only its own', async () => {
    person('branch', 'theirs');
    expect((await git('branch', 'side')).isError).toBe(false);
    expect((await git('branch', '-m', 'side', 'mine')).isError).toBe(false);
    for (const args of [
      ['-D', 'theirs'],
      ['-d', 'main'],
      ['-m', 'theirs', 'x'],
      ['-D', 'mine', 'theirs'],
      ['theirs'],
    ]) {
      expect(await git('branch', ...args)).toMatchObject({ isError: true });
    }
    expect((await git('branch')).content).toBe('* main\n  mine\n  theirs\n');
    expect((await git('branch', '-D', 'mine')).isError).toBe(false);
    expect(person('branch', '--format=%(refname:short)')).toBe('main\ntheirs\n');
  });

  test('makes no worktree', async () => {
    expect((await git('worktree', 'add', 'tree')).isError).toBe(true);
    expect(person('worktree', 'list', '--porcelain').match(/^worktree /gm)).toHaveLength(1);
  });

  test('says what failed', async () => {
    expect(await git('commit', '-m', 'Nothing')).toMatchObject({
      isError: true,
      content: expect.stringMatching(/nothing to commit[^]*exit code 1/),
    });
    expect((await git('commit')).content).toContain('needs -m');
    expect((await git('log', 'no-such-branch')).isError).toBe(true);
    expect((await git('add', 'nope.txt')).content).toContain('nope.txt: matches no file');
  });

  test('works in a repository without a commit', async () => {
    person('update-ref', '-d', 'HEAD');
    await write('new.txt', 'new\n');
    expect((await git('add', '-A')).content).toContain('add new.txt');
    expect((await git('commit', '-m', 'Root')).isError).toBe(false);
    expect(person('show', '--name-only', '--format=%s')).toBe('Root\n\nnew.txt\n');
  });
});

describe('in a shared tree', () => {
  /** Another task in the same workspace. */
  async function other(): Promise<ToolWorkspace> {
    const task = await createToolWorkspace();
    task.context.workspace = site.context.workspace;
    return task;
  }

  test('add -A and commit -a take only what the task changed', async () => {
    await site.put('person.txt', 'mine\n');
    await site.put('a.txt', 'half an edit of the person\n');
    const b = await other();
    await b.use('write', { file_path: 'b-half.txt', content: 'half\n' });
    await write('mine.txt', 'task\n');
    expect((await git('add', '-A')).content).toContain('not changed by this task: a.txt, b-half.txt, person.txt');
    expect((await git('commit', '-m', 'Mine')).isError).toBe(false);
    expect(person('show', '--name-only', '--format=')).toBe('mine.txt\n');
    await write('mine.txt', 'again\n');
    expect((await git('commit', '-am', 'Again')).isError).toBe(false);
    expect(person('show', '--name-only', '--format=')).toBe('mine.txt\n');
    expect(person('status', '--short')).toBe(' M a.txt\n?? b-half.txt\n?? person.txt\n');
  });

  test('each task stages in an index of its own, and leaves what the person staged', async () => {
    await site.put('staged.txt', 'the person staged it\n');
    person('add', 'staged.txt');
    const b = await other();
    await write('mine.txt', 'task\n');
    await b.use('write', { file_path: 'b.txt', content: 'b\n' });
    await git('add', 'mine.txt');
    await b.use('git', { args: ['add', 'b.txt'] });
    expect((await git('commit', '-m', 'Mine')).isError).toBe(false);
    expect(person('show', '--name-only', '--format=')).toBe('mine.txt\n');
    expect((await b.use('git', { args: ['commit', '-m', 'B'] })).isError).toBe(false);
    expect(person('show', '--name-only', '--format=')).toBe('b.txt\n');
    expect(person('status', '--short')).toBe('A  staged.txt\n');
  });

  test('a file that the task did not change is not added by name, unless the task lists it', async () => {
    await site.put('a.txt', 'of the person\n');
    expect((await git('add', 'a.txt')).content).toContain('has not changed it');
    site.context.files.push('a.txt');
    expect((await git('add', 'a.txt')).isError).toBe(false);
  });

  test('a file with uncommitted changes of the person is not committed with those of the task', async () => {
    await site.put('a.txt', 'of the person\n');
    await write('a.txt', 'of the person\nof the task\n');
    expect((await git('add', 'a.txt')).content).toContain('uncommitted changes of somebody else');
    expect((await git('commit', '-am', 'Mixed')).isError).toBe(true);
  });

  test('amends only its own last commit', async () => {
    expect((await git('commit', '--amend', '-m', 'Rewritten')).content).toContain('only a commit that this task made');
    await write('b.txt', 'b\n');
    await git('add', 'b.txt');
    await git('commit', '-m', 'B');
    await write('c.txt', 'c\n');
    await git('add', 'c.txt');
    expect((await git('commit', '--amend', '-m', 'B and C')).isError).toBe(false);
    expect(person('log', '--format=%s')).toBe('B and C\nFirst\n');
    await site.put('a.txt', 'two\n');
    person('commit', '-qam', 'Of the person');
    expect((await git('commit', '--amend', '-m', 'Mine')).isError).toBe(true);
    expect(person('log', '-1', '--format=%s')).toBe('Of the person\n');
  });

  test('a commit goes on top of those that others made meanwhile', async () => {
    await write('b.txt', 'b\n');
    await git('add', 'b.txt');
    await site.put('a.txt', 'two\n');
    person('commit', '-qam', 'Of the person');
    expect((await git('commit', '-m', 'B')).isError).toBe(false);
    expect(person('log', '--format=%s')).toBe('B\nOf the person\nFirst\n');
    expect(person('show', 'HEAD:a.txt')).toBe('two\n');
  });

  test('a lock that another git left shows no path of the host', async () => {
    await site.put('.gitignore', '');
    await writeFile(join(site.root, '.git/index.lock'), '');
    await write('b.txt', 'b\n');
    const outcomes = [await git('status'), await git('add', 'b.txt'), await git('commit', '-m', 'B')];
    for (const outcome of outcomes) expect(outcome.content).not.toContain(site.root);
    expect(outcomes[2]?.content).toContain('locked by another git');
    expect(person('show', '--name-only', '--format=')).toBe('b.txt\n');
  });

  test('a warning of git shows no path of the host', async () => {
    await site.put('.git/info/attributes', '*.txt =x\n');
    const outcome = await git('show', '--stat', 'HEAD');
    expect(outcome.content).toContain('.git/info/attributes:1');
    expect(outcome.content).not.toMatch(/haiku-fleet-git|\/tmp\//);
  });

  test('a filtered path is refused by name', async () => {
    person('config', 'filter.git-crypt.clean', 'sed s/./x/g');
    person('config', 'filter.git-crypt.smudge', 'cat');
    await site.put('.gitattributes', 'vars/* filter=git-crypt\n*.bin filter=lfs\n');
    await site.put('vars/key', 'plain\n');
    person('add', '-A');
    person('commit', '-qm', 'Vars');
    await write('vars/key', 'changed\n');
    await write('readme.md', 'hello\n');
    for (const args of [
      ['add', '-A'],
      ['add', 'vars/key'],
      ['commit', '-am', 'x'],
      ['commit', '-m', 'x', '--', 'vars'],
    ]) {
      expect((await git(...args)).content).toContain('"vars/key": passes the filter "git-crypt"');
    }
    expect((await git('add', 'readme.md')).isError).toBe(false);
    expect((await git('commit', '-m', 'Readme')).isError).toBe(false);
    expect(person('show', 'HEAD:vars/key')).toBe('xxxxx\n');
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
    ['worktree', 'list'],
    ['status', '-v'],
    ['add', '-N', 'a.txt'],
    ['log', '-p', '--follow', 'a.txt'],
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
    expect((await git('status')).content).toContain('outside the workspace');
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
    person('add', '-A');
    person('commit', '-q', '-m', 'Second');
    await site.put('.env', 'TOKEN=secret-four\n');
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
    [['diff', 'HEAD:']],
    [['diff', 'HEAD~1:', 'HEAD:']],
    [['diff', 'HEAD~1:..HEAD:']],
    [['diff', 'HEAD~1:.env..HEAD:.env']],
    [['diff', 'HEAD:keys', 'HEAD~1:']],
    [['show', ':/Second']],
    [['show', 'HEAD^{/Second}']],
    [['show', 'HEAD^{/x:y}:.env']],
    [['show', 'HEAD:keys/id_rsa']],
    [['show', '@{0}']],
    [['log', '-p', '--all', '-1', '--', ':']],
    [['log', '-p', '-m', '--first-parent']],
    [['log', '-g', '-p']],
    [['diff', '--cached', 'HEAD~1']],
    [['status', '--long']],
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

  test('stay hidden from the id of their folder, or a tag of it', async () => {
    await site.put('.ssh/config', 'secret-five\n');
    await site.put('lib/plain.txt', 'plain\n');
    person('add', '-A');
    person('commit', '-q', '-m', 'Third');
    const id = person('rev-parse', 'HEAD:.ssh').trim();
    person('tag', 'light', id);
    person('tag', '-a', '-m', 'x', 'heavy', id);
    const empty = person('hash-object', '-t', 'tree', '/dev/null').trim();
    for (const folder of [id, id.slice(0, 10), 'light', 'heavy', 'heavy^{tree}', 'heavy^{}']) {
      for (const args of [
        ['show', `${folder}:config`],
        ['diff', empty, folder],
        ['diff', `${folder}..HEAD`],
      ]) {
        expect(await git(...args)).toMatchObject({
          isError: true,
          content: expect.stringMatching(/without its commit/),
        });
      }
    }
    expect((await git('diff', empty, 'HEAD^{tree}')).content).toContain('plain.txt');
    expect((await git('diff', empty, 'HEAD:lib')).content).toContain('plain.txt');
  });

  test('are not committed with everything else', async () => {
    await write('c.txt', 'of the task\n');
    await git('add', '-A');
    await git('commit', '-m', 'All');
    expect(person('show', '--name-only', '--format=', 'HEAD').trim()).toBe('c.txt');
  });

  test('are open to a task that lists the file', async () => {
    site.context.files.push('.env');
    expect((await git('diff', '--', '.env')).content).toContain('secret-four');
    expect((await git('show', 'HEAD:.env')).content).toContain('secret-two');
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
  await site.put('.gitattributes', '*.txt diff=evil merge=evil\n*.md diff=evil\n*.bin filter=evil\n');
  await write('a.txt', 'changed\n');
  await write('c.md', 'new\n');

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
      await site.use('write', { file_path: `task-${task}.txt`, content: 'x\n' });
      await git('add', `task-${task}.txt`);
      return await git('commit', '-m', `Task ${task}`, '--', `task-${task}.txt`);
    }),
  );
  expect(outcomes.filter(({ isError }) => isError)).toEqual([]);
  expect(person('rev-list', '--count', 'HEAD').trim()).toBe('7');
});

test('a nested repository and its configuration run nothing', async () => {
  const trap = join(site.outside, 'trap.sh');
  const sprung = join(site.outside, 'sprung');
  await writeFile(trap, `#!/bin/sh\ntouch ${sprung}\ncat\n`, { mode: 0o755 });
  const nested = (...args: string[]): string =>
    execFileSync('git', args, { cwd: join(site.root, 'sub'), encoding: 'utf8' });
  await site.put('sub/x.txt', 'x\n');
  nested('init', '-q');
  nested('config', 'filter.evil.clean', trap);
  nested('config', 'core.fsmonitor', trap);
  await site.put('sub/.gitattributes', '* filter=evil\n');
  nested(
    '-c',
    'user.name=x',
    '-c',
    'user.email=x@example.invalid',
    '-c',
    'core.fsmonitor=false',
    '-c',
    'filter.evil.clean=cat',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'x',
  );
  await site.put('sub/x.txt', 'changed\n');
  await write('b.txt', 'b\n');
  for (const args of [['status'], ['diff'], ['add', '-u'], ['add', 'sub'], ['add', '-A'], ['commit', '-m', 'B']]) {
    const { content } = await git(...args);
    if (args[1] === '-A') expect(content).toContain('repositories of their own: sub/');
  }
  expect(person('show', '--name-only', '--format=')).toBe('b.txt\n');
  await expect(readFile(sprung, 'utf8')).rejects.toThrow('ENOENT');
});
