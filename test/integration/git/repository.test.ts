import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { askGit, createGit, GitError, listGit, mustGit } from '../../../src/git/git.ts';
import { listRefs, makeGitDir, withView } from '../../../src/git/git-dir.ts';
import { readHead } from '../../../src/git/head.ts';
import { findRepository, isRepository, type Repository } from '../../../src/git/repository.ts';
import { READ_ONLY } from '../../../src/git/settings.ts';
import { makeFolder } from '../../support/folder.ts';

const { signal } = new AbortController();
let base: string;
let root: string;

const person = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Person', '-c', 'user.email=person@example.invalid', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HOME: '/dev/null' },
  }).trim();

beforeEach(async () => {
  base = makeFolder();
  root = join(base, 'site');
  await mkdir(join(root, 'lib'), { recursive: true });
  person('init', '-q', '-b', 'main');
  await writeFile(join(root, 'a.txt'), 'one\n');
  await writeFile(join(root, 'lib/b.txt'), 'two\n');
  person('add', '-A');
  person('commit', '-q', '-m', 'First');
});

const find = (folder = root) => findRepository(folder, root, signal);

async function open(): Promise<Repository> {
  const found = await find();
  if (!isRepository(found)) throw new Error(JSON.stringify(found));
  return found;
}

describe('findRepository', () => {
  test('finds the repository of a folder in it, and its commit', async () => {
    expect(await find(join(root, 'lib'))).toMatchObject({ top: root, gitDir: join(root, '.git') });
    expect(await readHead(await open(), signal)).toEqual({
      commit: person('rev-parse', 'HEAD'),
      branch: 'refs/heads/main',
    });
    person('checkout', '-q', '--detach');
    expect(await readHead(await open(), signal)).toMatchObject({ branch: null });
  });

  test('finds none above the workspace, and none without one', async () => {
    await rename(join(root, '.git'), join(base, '.git'));
    expect(await find()).toBeNull();
  });

  test.each([
    [
      'a .git file that leads outside',
      async () => {
        await rename(join(root, '.git'), join(base, 'git'));
        await writeFile(join(root, '.git'), `gitdir: ${join(base, 'git')}\n`);
      },
    ],
    [
      'a linked .git',
      async () => {
        await rename(join(root, '.git'), join(base, 'git'));
        await symlink(join(base, 'git'), join(root, '.git'));
      },
    ],
    ...['objects', 'refs', 'refs/heads', 'objects/pack', 'HEAD'].map((part): [string, () => Promise<void>] => [
      `linked ${part}`,
      async () => {
        await rename(join(root, '.git', part), join(base, 'part'));
        await symlink(join(base, 'part'), join(root, '.git', part));
      },
    ]),
    [
      'a linked fan-out folder of objects',
      async () => {
        const fan = person('rev-parse', 'HEAD').slice(0, 2);
        await rename(join(root, '.git/objects', fan), join(base, 'part'));
        await symlink(join(base, 'part'), join(root, '.git/objects', fan));
      },
    ],
    ['a working tree elsewhere', async () => void person('config', 'core.worktree', base)],
  ])('refuses %s', async (_what, make) => {
    await make();
    expect(await find()).toEqual({ problem: expect.stringContaining('outside the workspace') });
  });

  test('refuses borrowed objects', async () => {
    await writeFile(join(root, '.git/objects/info/alternates'), `${base}/other/.git/objects\n`);
    expect(await find()).toEqual({ problem: expect.stringContaining('borrows objects') });
  });
});

test('no configuration of the repository runs anything, includes and nested repositories too', async () => {
  const mark = join(base, 'ran');
  const evil = join(base, 'evil');
  await writeFile(evil, `#!/bin/sh\ntouch ${mark}\ncat\n`, { mode: 0o755 });
  await writeFile(
    join(base, 'included'),
    `[filter "x"]\n clean=${evil}\n smudge=${evil}\n[diff "x"]\n textconv=${evil}\n command=${evil}\n[core]\n fsmonitor=${evil}\n`,
  );
  person('config', 'include.path', join(base, 'included'));
  person('config', 'includeIf.gitdir:**.path', join(base, 'included'));
  person('config', 'includeIf.onbranch:main.path', join(base, 'included'));
  person('config', 'filter.x.clean', evil);
  person('config', 'filter.x.smudge', evil);
  await writeFile(join(root, '.gitattributes'), '* filter=x diff=x merge=x\n');
  await writeFile(join(root, 'a.txt'), 'changed\n');
  const repository = await open();
  const status = await withView(repository, root, signal, async (git) => {
    await askGit(git, ['diff', 'HEAD'], { env: READ_ONLY });
    return await listGit(git, ['status', '--porcelain', '-z'], { env: READ_ONLY });
  });
  expect(status).toContain(' M a.txt');
  const head = await readHead(repository, signal);
  const gitDir = join(base, 'private');
  await makeGitDir(gitDir, repository, { head: head?.commit ?? '', refs: await listRefs(repository, signal) });
  const workTree = join(base, 'tree');
  await mkdir(workTree);
  const git = await createGit({ gitDir, workTree, objects: repository.objects }, root, signal);
  await askGit(git, ['read-tree', '-m', '-u', 'HEAD']);
  await writeFile(join(workTree, 'new.txt'), 'new\n');
  await askGit(git, ['add', '-A']);
  expect(await readFile(join(workTree, 'lib/b.txt'), 'utf8')).toBe('two\n');
  expect(existsSync(mark)).toBe(false);
  expect(person('rev-parse', 'HEAD')).toBe(head?.commit);
});

test('a private git directory has the refs, excludes and settings of files of the repository', async () => {
  person('config', 'core.autocrlf', 'input');
  person('branch', 'side');
  person('branch', 'fleet/task-1');
  person('tag', '-a', 'v1', '-m', 'One');
  person('update-ref', 'refs/remotes/origin/main', 'HEAD');
  person('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main');
  await writeFile(join(root, '.git/info/exclude'), '*.log\n');
  const repository = await open();
  const gitDir = join(base, 'private');
  const refs = await listRefs(repository, signal, 'refs/heads/fleet/');
  await makeGitDir(gitDir, repository, { head: 'ref: refs/heads/main', refs, exclude: ['/node_modules'] });
  const git = await createGit({ gitDir, workTree: root, objects: repository.objects }, root, signal);
  expect((await askGit(git, ['for-each-ref', '--format=%(refname)'])).split('\n')).toEqual([
    'refs/heads/main',
    'refs/heads/side',
    'refs/remotes/origin/main',
    'refs/tags/v1',
  ]);
  expect(await askGit(git, ['rev-parse', 'v1^{commit}'])).toBe(person('rev-parse', 'HEAD'));
  expect(await askGit(git, ['config', 'core.autocrlf'])).toBe('input');
  expect(await askGit(git, ['check-ignore', 'x.log', 'node_modules'])).toBe('x.log\nnode_modules');
  await askGit(git, ['update-ref', 'refs/heads/side', 'HEAD']);
  await askGit(git, ['branch', '-D', 'side']);
  await expect(mustGit(git, ['rev-parse', '--verify', 'side'])).rejects.toThrow(GitError);
  expect(person('branch', '--list', 'side').trim()).toBe('side');
});

test.each(['HEAD', 'config', 'commondir', 'shallow', 'info/exclude', 'info/attributes', 'objects/info/alternates'])(
  'a repository whose %s is a pipe is refused: reading it would not end',
  async (part) => {
    const path = join(root, '.git', part);
    await rm(path, { force: true });
    execFileSync('mkfifo', [path]);
    expect(await find()).toEqual({ problem: expect.stringContaining('is a pipe or a device') });
  },
);
