import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { makeFolder } from '../../support/folder.ts';
import { commitAll, initRepository, runGit } from '../../support/person-git.ts';
import { createTrees } from '../../support/task-tree.ts';

let root: string;

function put(folder: string, path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

beforeEach(() => {
  root = join(makeFolder(), 'site');
  mkdirSync(root);
  put(root, 'a.txt', 'one\ntwo\nthree\n');
  put(root, 'lib/b.txt', 'b\n');
});

describe('openTree', () => {
  test('holds the commit, not what the person has changed, and a branch of its own', async () => {
    put(root, '.gitignore', 'dist/\n');
    put(root, 'run.sh', '#!/bin/sh\n');
    chmodSync(join(root, 'run.sh'), 0o755);
    symlinkSync('/etc/hostname', join(root, 'out'));
    const base = initRepository(root);
    put(root, 'a.txt', 'changed\n');
    put(root, 'dist/x.js', 'x\n');
    put(root, 'new.txt', 'x\n');
    const trees = await createTrees(root);
    const tree = await trees.open();
    expect((await readdir(tree.root)).toSorted()).toEqual(['.git', '.gitignore', 'a.txt', 'lib', 'out', 'run.sh']);
    expect(readFileSync(join(tree.root, 'a.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
    expect(lstatSync(join(tree.root, 'run.sh')).mode & 0o777).toBe(0o755);
    expect(readlinkSync(join(tree.root, 'out'))).toBe('/etc/hostname');
    expect((await stat(trees.settings.worktrees)).mode & 0o777).toBe(0o700);
    expect(runGit(root, 'rev-parse', 'fleet/t1')).toBe(base);
    expect(runGit(tree.root, 'status', '--porcelain', '--branch')).toBe('## fleet/t1');
    expect(runGit(tree.root, 'log', '--format=%s')).toBe('First');
    expect(await trees.commit(tree)).toMatchObject({ head: base, changed: [], leftOut: [] });
    expect(runGit(root, 'status', '--porcelain')).toBe('M a.txt\n?? new.txt');
  });

  test('opens the tree that is there', async () => {
    initRepository(root);
    const trees = await createTrees(root);
    put((await trees.open()).root, 'a.txt', 'mine\n');
    expect(await readFile(join((await trees.open()).root, 'a.txt'), 'utf8')).toBe('mine\n');
    expect((await trees.open('t1', 'bb')).info.branch).toBe('fleet/t1');
    const lock = join(trees.settings.worktrees, 't1.aa/git/index.lock'); // of a git that was killed
    writeFileSync(lock, '');
    utimesSync(lock, 1, 1);
    expect(runGit((await trees.open()).root, 'add', '-A')).toBe('');
  });

  test('two processes that make the same tree end with one', async () => {
    initRepository(root);
    const trees = await createTrees(root);
    const [one, two] = await Promise.all([trees.open(), trees.open()]);
    expect(one).toEqual(two);
    expect(await readdir(trees.settings.worktrees)).toEqual(['t1.aa']);
  });

  test('never takes a branch of the person: one that moved, one that is checked out, one that forbids the name', async () => {
    const base = initRepository(root);
    const trees = await createTrees(root);
    await trees.open('t1');
    runGit(root, 'checkout', '-q', 'fleet/t1');
    put(root, 'p.txt', 'p\n');
    const theirs = commitAll(root, 'Of the person');
    expect((await trees.open('t1')).info.branch).toBe('fleet/t1-aa');
    expect(runGit(root, 'rev-parse', 'fleet/t1', 'fleet/t1-aa').split('\n')).toEqual([theirs, base]);
    await trees.open('t2', 'aa', base);
    runGit(root, 'checkout', '-q', 'fleet/t2');
    expect((await trees.open('t2', 'aa', base)).info.branch).toBe('fleet/t2-aa');
    runGit(root, 'checkout', '-q', 'main');
    for (const name of runGit(root, 'branch', '--list', 'fleet/*', '--format=%(refname:short)').split('\n'))
      runGit(root, 'branch', '-qD', name);
    runGit(root, 'branch', 'fleet');
    expect((await trees.open('t3')).info.branch).toBe('haiku-fleet/t3');
  });

  test.each(['-x', '.x', 'a..b', 'x.lock', 'x.', 'long'.repeat(49), 'a b/../c'])('takes the id %j', async (id) => {
    initRepository(root);
    const trees = await createTrees(root);
    const tree = await trees.open(id);
    expect(runGit(root, 'for-each-ref', '--format=%(refname:short)', 'refs/heads/fleet')).toBe(tree.info.branch);
    expect(tree.info.task).toBe(id);
  });

  test('a commit that is not here is named', async () => {
    initRepository(root);
    const trees = await createTrees(root);
    await expect(trees.open('t1', 'aa', '1'.repeat(40))).rejects.toThrow(
      /commit 1{40}.* is not in the workspace's repository/,
    );
    expect(await readdir(trees.settings.worktrees)).toEqual([]);
  });

  test('links ignored names that are there, and no others', async () => {
    put(root, '.gitignore', 'node_modules/\n.env\nlogs/\n');
    put(root, 'packages/a/x.js', '1\n');
    initRepository(root);
    for (const path of ['node_modules/p/i.js', 'packages/a/node_modules/q/i.js', '.env', 'own/x'])
      put(root, path, 'x\n');
    symlinkSync('/tmp', join(root, 'logs'));
    const links = ['node_modules', 'packages/a/node_modules', 'none', '.env', 'own', 'logs', 'lib'];
    const trees = await createTrees(root, { links });
    const tree = await trees.open();
    expect(tree.info.links).toEqual(['node_modules', 'packages/a/node_modules']);
    expect(readFileSync(join(tree.root, 'node_modules/p/i.js'), 'utf8')).toBe('x\n');
    expect(runGit(tree.root, 'status', '--porcelain')).toBe('');
    expect(await trees.commit(tree)).toMatchObject({ changed: [], leftOut: [] });
  });

  test('programs of the task can use git in it, and nothing of theirs reaches the person', async () => {
    const base = initRepository(root);
    const trees = await createTrees(root);
    const tree = await trees.open();
    put(tree.root, 'a.txt', 'by a program\n');
    runGit(tree.root, 'add', '-A');
    runGit(tree.root, 'commit', '-qm', 'By a program');
    runGit(tree.root, 'gc', '-q', '--prune=now');
    runGit(tree.root, 'branch', '-D', 'main');
    expect(runGit(root, 'rev-parse', 'main')).toBe(base);
    const { head, changed, ownMessage } = await trees.commit(tree);
    expect([changed, ownMessage]).toEqual([['a.txt +1 -3 1-1'], 'By a program\n']);
    expect(runGit(root, 'log', '--format=%s', `${base}..${head}`)).toBe('By a program');
    rmSync(tree.folder, { recursive: true });
    expect(runGit(root, 'show', `${head}:a.txt`)).toBe('by a program');
  });
});

describe('commitTree', () => {
  test('what a program of the task puts into its git directory starts nothing later, and nothing else is lost', async () => {
    initRepository(root);
    const trees = await createTrees(root);
    const tree = await trees.open();
    const mark = join(dirname(root), 'ran');
    const evil = join(dirname(root), 'evil.cfg');
    writeFileSync(evil, `[filter "e"]\n\tclean = touch ${mark}; cat\n\trequired = true\n`);
    for (const setting of [
      ['filter.e.clean', `touch ${mark}; cat`],
      ['include.path', evil],
      ['includeIf.gitdir:/**.path', evil],
      ['core.fsmonitor', `touch ${mark}`],
      ['extensions.worktreeConfig', 'true'],
      ['user.name', 'A "B" \\\n[filter "e"]\n\tclean = touch'],
    ]) {
      runGit(tree.root, 'config', ...setting);
    }
    put(tree.gitDir, 'config.worktree', readFileSync(evil));
    put(tree.gitDir, 'other/config', readFileSync(evil));
    put(tree.gitDir, 'commondir', 'other');
    put(tree.gitDir, 'info/attributes', '* filter=e\n');
    utimesSync(join(tree.root, 'a.txt'), 1, 1);
    await trees.commit(tree);
    expect(existsSync(mark)).toBe(false);
    rmSync(join(tree.gitDir, 'info/attributes'));
    put(tree.root, 'a.txt', 'mine\n');
    expect((await trees.commit(tree)).changed).toEqual(['a.txt +1 -3 1-1']);
    expect(runGit(tree.root, 'config', 'user.email')).toBe('person@example.invalid');
    expect(readFileSync(join(tree.gitDir, 'config'), 'utf8')).toContain('email = "worker@haiku-fleet.invalid"');
  });

  test('holds all that changed, whatever changed it, and whatever the task has staged or committed', async () => {
    put(root, 'gone.txt', 'x\n');
    put(root, 'dir', 'a file\n');
    put(root, 'bin', Buffer.from([0, 1, 2]));
    initRepository(root);
    const trees = await createTrees(root);
    const tree = await trees.open();
    put(tree.root, 'a.txt', 'one\n2\nthree\nfour\n');
    await unlink(join(tree.root, 'gone.txt'));
    await unlink(join(tree.root, 'dir'));
    put(tree.root, 'dir/inner.txt', 'now a folder\n');
    put(tree.root, 'bin', Buffer.from([0, 9]));
    put(tree.root, 'with "quotes" and\nbreak', 'x\n');
    symlinkSync('a.txt', join(tree.root, 'link'));
    chmodSync(join(tree.root, 'lib/b.txt'), 0o755);
    put(tree.root, 'staged.txt', 'x\n');
    runGit(tree.root, 'add', 'staged.txt');
    await unlink(join(tree.root, 'staged.txt'));
    const { changed, leftOut, head } = await trees.commit(tree);
    expect(changed).toEqual([
      'a.txt +2 -1 2-4',
      'bin +0 -0 0-0',
      'dir +0 -1 deleted',
      'dir/inner.txt +1 -0 1-1',
      'gone.txt +0 -1 deleted',
      'lib/b.txt +0 -0 0-0',
      'link +1 -0 1-1',
      'with "quotes" and\nbreak +1 -0 1-1',
    ]);
    expect(leftOut).toEqual([]);
    expect(runGit(root, 'ls-tree', head, 'lib/b.txt', 'link')).toMatch(/^100755 .*b\.txt\n120000 .*link$/);
    expect(runGit(root, 'status', '--porcelain')).toBe('');
  });

  test('sees a change of the same size in the second of the checkout', async () => {
    initRepository(root);
    const trees = await createTrees(root);
    const tree = await trees.open();
    writeFileSync(join(tree.root, 'a.txt'), 'ONE\ntwo\nthree\n');
    expect((await trees.commit(tree)).changed).toEqual(['a.txt +1 -1 1-1']);
  });

  test('names what it leaves out', async () => {
    put(root, '.gitignore', 'dist/\n');
    put(root, '.env', 'KEY=1\n');
    initRepository(root);
    const trees = await createTrees(root);
    const tree = await trees.open();
    for (const path of [
      'a.txt',
      '.env',
      'deploy/id_rsa',
      'node_modules/p/i.js',
      'node_modules/q/i.js',
      'dist/x.js',
      'dist/y.js',
    ])
      put(tree.root, path, 'x\n');
    put(tree.root, 'nested/x.txt', 'x\n');
    initRepository(join(tree.root, 'nested'));
    put(tree.root, 'huge.bin', Buffer.alloc(50 * 1024 * 1024 + 1));
    const { changed, leftOut } = await trees.commit(tree, { toolsWrote: ['a.txt', 'dist/x.js'] });
    expect(changed).toEqual(['a.txt +1 -3 1-1']);
    expect(leftOut.toSorted()).toEqual([
      '.env: it is named like a file of secrets',
      'deploy/id_rsa: it is named like a file of secrets',
      'dist/x.js: git ignores it',
      'huge.bin: it has more than 50 MiB',
      'nested/: it is a repository of its own',
      'node_modules: it is an installed package',
    ]);
    await unlink(join(tree.root, 'huge.bin'));
    expect((await trees.commit(tree, { files: ['.env'] })).changed).toEqual(['.env +1 -1 1-1', 'a.txt +1 -3 1-1']);
  });

  test('keeps the commits of the task, unless they hold what must not leave the tree', async () => {
    const base = initRepository(root);
    const trees = await createTrees(root);
    const one = await trees.open('t1');
    put(one.root, 'a.txt', 'x\n');
    commitAll(one.root, 'Of the task');
    put(one.root, 'b.txt', 'x\n');
    expect(runGit(root, 'log', '--format=%s', `${base}..${(await trees.commit(one)).head}`)).toBe('Done\nOf the task');
    const two = await trees.open('t2');
    put(two.root, 'a.txt', 'x\n');
    put(two.root, '.env', 'KEY=1\n');
    commitAll(two.root, 'With a secret');
    const { head, leftOut } = await trees.commit(two);
    expect(runGit(root, 'log', '--format=%s', '--name-only', `${base}..${head}`)).toBe('Done\n\na.txt');
    expect(leftOut).toEqual(['.env: it is named like a file of secrets']);
    const three = await trees.open('t3');
    runGit(three.root, 'commit', '-q', '--allow-empty', '-m', 'Nothing');
    expect(await trees.commit(three)).toMatchObject({ head: base, changed: [] });
    runGit(three.root, 'checkout', '-q', '--orphan', 'elsewhere');
    put(three.root, 'a.txt', 'x\n');
    commitAll(three.root, 'Orphan');
    expect(runGit(root, 'log', '--format=%s', `${base}..${(await trees.commit(three)).head}`)).toBe('Done');
  });
});

describe('a repository', () => {
  test('with line endings of either kind: only what the task changed is in its patch', async () => {
    put(root, 'crlf.txt', 'one\r\ntwo\r\n');
    put(root, 'win.txt', 'one\ntwo\n');
    put(root, 'old.txt', 'one\r\ntwo\r\n');
    initRepository(root);
    put(root, '.gitattributes', '* text=auto\nwin.txt text eol=crlf\n');
    runGit(root, 'add', '.gitattributes');
    runGit(root, 'commit', '-qm', 'Attributes');
    const trees = await createTrees(root);
    const tree = await trees.open();
    expect(readFileSync(join(tree.root, 'win.txt'), 'utf8')).toBe('one\r\ntwo\r\n');
    expect(await trees.commit(tree)).toMatchObject({ changed: [] });
    put(tree.root, 'win.txt', 'one\r\n2\r\n');
    put(tree.root, 'a.txt', 'x\n');
    expect((await trees.commit(tree)).changed).toEqual(['a.txt +1 -3 1-1', 'win.txt +1 -1 2-2']);
  });

  test('with autocrlf and safecrlf, with modes that do not count', async () => {
    initRepository(root);
    for (const [key, value] of [
      ['core.autocrlf', 'true'],
      ['core.safecrlf', 'true'],
      ['core.fileMode', 'false'],
    ] as const)
      runGit(root, 'config', key, value);
    const trees = await createTrees(root);
    const tree = await trees.open();
    expect(readFileSync(join(tree.root, 'a.txt'), 'utf8')).toBe('one\r\ntwo\r\nthree\r\n');
    put(tree.root, 'a.txt', 'one\r\n2\nthree\r\n');
    chmodSync(join(tree.root, 'lib/b.txt'), 0o755);
    expect((await trees.commit(tree)).changed).toEqual(['a.txt +1 -1 2-2']);
  });

  test('with submodules: they are named, empty, and nothing in them is kept', async () => {
    const other = makeFolder({ 'x.txt': 'x\n' });
    initRepository(other);
    initRepository(root);
    runGit(root, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', other, 'vendor/x');
    commitAll(root, 'Submodule');
    const trees = await createTrees(root);
    const tree = await trees.open();
    expect(tree.info.submodules).toEqual(['vendor/x']);
    expect(await readdir(join(tree.root, 'vendor/x'))).toEqual([]);
    put(tree.root, 'vendor/x/new.txt', 'x\n');
    put(tree.root, 'a.txt', 'x\n');
    expect(await trees.commit(tree)).toMatchObject({ changed: ['a.txt +1 -3 1-1'] });
    rmSync(join(tree.root, 'vendor'), { recursive: true });
    expect(await trees.commit(tree)).toMatchObject({ changed: ['a.txt +1 -3 1-1'] });
  });

  test.each([
    ['that is shallow', (source: string) => ['clone', '-q', '--depth=1', `file://${source}`]],
    ['of a detached HEAD', (source: string) => ['clone', '-q', source]],
  ])('%s', async (_, toArgs) => {
    initRepository(root);
    put(root, 'a.txt', 'second\n');
    commitAll(root, 'Second');
    const clone = join(makeFolder(), 'clone');
    runGit(dirname(clone), ...toArgs(root), clone);
    runGit(clone, 'checkout', '-q', '--detach');
    const trees = await createTrees(clone);
    const tree = await trees.open();
    put(tree.root, 'a.txt', 'third\n');
    const { changed, head } = await trees.commit(tree);
    expect(changed).toEqual(['a.txt +1 -1 1-1']);
    expect(runGit(clone, 'show', `${head}:a.txt`)).toBe('third');
  });

  test('with sha256 names, with a sparse checkout', async () => {
    initRepository(root, '--object-format=sha256');
    runGit(root, 'sparse-checkout', 'set', 'other');
    expect(existsSync(join(root, 'lib'))).toBe(false);
    const trees = await createTrees(root);
    const tree = await trees.open();
    put(tree.root, 'lib/b.txt', 'x\n');
    const { changed, head } = await trees.commit(tree);
    expect(changed).toEqual(['lib/b.txt +1 -1 1-1']);
    expect(head).toHaveLength(64);
  });

  test('whose settings and attributes would run programs runs none', async () => {
    const mark = join(makeFolder(), 'ran');
    put(root, '.gitattributes', '*.txt filter=evil diff=evil merge=evil\n');
    const script = `touch ${mark}; cat`;
    initRepository(root);
    for (const key of [
      'filter.evil.clean',
      'filter.evil.smudge',
      'diff.evil.textconv',
      'core.fsmonitor',
      'diff.external',
    ])
      runGit(root, 'config', key, script);
    mkdirSync(join(root, '.git/hooks'), { recursive: true });
    for (const hook of ['post-checkout', 'reference-transaction', 'pre-commit', 'post-index-change']) {
      put(root, `.git/hooks/${hook}`, `#!/bin/sh\ntouch ${mark}\n`);
      chmodSync(join(root, '.git/hooks', hook), 0o755);
    }
    const trees = await createTrees(root);
    const tree = await trees.open();
    put(tree.root, '.gitattributes', '* filter=evil\n');
    put(tree.root, 'x.md', 'x\n');
    put(tree.root, '.gitmodules', '[submodule "x"]\n\tpath = x\n\turl = ext::sh\n\tupdate = !touch\n');
    const { leftOut } = await trees.commit(tree);
    expect(leftOut).toContain('x.md: the filter "evil" keeps it, and is not run for tasks');
    expect(existsSync(mark)).toBe(false);
  });
});

describe('a filter such as git-lfs', () => {
  const driver = ['filter.lfs.clean', 'sed s/SMUDGED/pointer/'] as const;
  beforeEach(() => {
    initRepository(root);
    runGit(root, 'config', ...driver);
    runGit(root, 'config', 'filter.lfs.smudge', 'sed s/pointer/SMUDGED/');
    runGit(root, 'config', 'filter.lfs.required', 'true');
    put(root, '.gitattributes', '*.psd filter=lfs -text\n');
    put(root, 'art/logo.psd', 'SMUDGED 1\n');
    commitAll(root, 'Art');
    expect(runGit(root, 'show', 'HEAD:art/logo.psd')).toBe('pointer 1');
  });

  test('a file reads as in the checkout of the person, and git takes it for unchanged', async () => {
    const trees = await createTrees(root);
    const tree = await trees.open();
    expect(readFileSync(join(tree.root, 'art/logo.psd'), 'utf8')).toBe('SMUDGED 1\n');
    expect(tree.info.filtered).toMatchObject([{ path: 'art/logo.psd', driver: 'lfs' }]);
    expect(runGit(tree.root, 'status', '--porcelain')).toBe('');
    put(tree.root, 'a.txt', 'x\n');
    expect(await trees.commit(tree)).toMatchObject({ changed: ['a.txt +1 -3 1-1'], leftOut: [] });
    put(tree.root, 'art/logo.psd', 'SMUDGED 2\n');
    put(tree.root, 'new.psd', 'SMUDGED 3\n');
    const { changed, leftOut } = await trees.commit(tree);
    expect(changed).toEqual(['a.txt +1 -3 1-1']);
    expect(leftOut.toSorted()).toEqual([
      'art/logo.psd: the filter "lfs" keeps it, and is not run for tasks',
      'new.psd: the filter "lfs" keeps it, and is not run for tasks',
    ]);
  });

  test.each([
    ['changed', () => put(root, 'art/logo.psd', 'SMUDGED 2\n')],
    ['removed', () => rmSync(join(root, 'art'), { recursive: true })],
    [
      'of another commit',
      () => {
        put(root, 'art/logo.psd', 'SMUDGED 2\n');
        commitAll(root, 'More');
      },
    ],
  ])('a file that is %s in the checkout of the person is refused with its path and driver', async (_, change) => {
    const trees = await createTrees(root);
    const base = runGit(root, 'rev-parse', 'HEAD');
    change();
    await expect(trees.open('t1', 'aa', base)).rejects.toThrow(/"art\/logo\.psd" is kept by the filter "lfs"/);
    expect(await readdir(trees.settings.worktrees)).toEqual([]);
  });
});

test('a tree that the person has moved away counts as none', async () => {
  initRepository(root);
  const trees = await createTrees(root);
  const tree = await trees.open();
  await mkdir(join(trees.settings.worktrees, 'empty'));
  await rename(tree.folder, join(trees.settings.worktrees, 'moved'));
  expect((await trees.open()).folder).toBe(tree.folder);
});
