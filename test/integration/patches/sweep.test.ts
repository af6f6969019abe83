import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { finishTree } from '../../../src/patches/commit/finish-tree.ts';
import { readPatch } from '../../../src/patches/record.ts';
import { createTreeSweep } from '../../../src/patches/sweep/sweep-trees.ts';
import type { TaskTree } from '../../../src/patches/task-tree/types.ts';
import { makeFolder } from '../../support/folder.ts';
import { initRepository, runGit } from '../../support/person-git.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createTrees } from '../../support/task-tree.ts';

const redis = useRedis();
const { signal } = new AbortController();
let root: string;
let trees: Awaited<ReturnType<typeof createTrees>>;
let clock: number;

beforeEach(async () => {
  root = makeFolder({ 'a.txt': 'a\n', '.gitignore': 'dist/\n' });
  initRepository(root);
  trees = await createTrees(root);
  clock = Date.now();
});

/** Makes the tree of a task whose finding is stored, and changes it. */
async function end(taskId: string, content: string | null, state?: 'applied' | 'discarded'): Promise<TaskTree> {
  const tree = await trees.open(taskId);
  if (content !== null) writeFileSync(join(tree.root, 'a.txt'), content);
  const { author, isGuarded } = trees.settings;
  const rules = { files: [], toolsWrote: [], isGuarded };
  const facts = {
    message: 'x\n',
    author,
    toMessage: (own: string) => own,
    batch: null,
    missionId: null,
    now: new Date(clock),
  };
  const stillMine = () => Promise.resolve();
  await finishTree(redis.db, tree, await trees.find(), rules, { ...facts, stillMine }, signal);
  const { keys } = redis;
  if (state !== undefined) {
    const record = await readPatch(redis.db, tree.info.finding);
    await redis.redis.set(keys.patch(tree.info.finding), JSON.stringify({ ...record, state }));
  }
  await redis.redis.set(keys.finding(tree.info.finding), '{}');
  return tree;
}

const sweep = (keep = 20, isGuarded = trees.settings.isGuarded) =>
  createTreeSweep({
    db: redis.db,
    worktrees: trees.settings.worktrees,
    host: hostname(),
    keep,
    isGuarded,
    now: () => clock,
  });

test('removes trees of patches that are applied, discarded or empty, and keeps those that wait', async () => {
  await end('applied', 'x\n', 'applied');
  await end('discarded', 'x\n', 'discarded');
  await end('empty', null);
  const waits = await end('waits', 'x\n');
  writeFileSync(join(waits.root, 'a.txt'), 'more\n');
  const built = await end('built', 'x\n', 'applied');
  mkdirSync(join(built.root, 'dist'));
  writeFileSync(join(built.root, 'dist/x.js'), 'x\n');
  expect(await sweep()(signal)).toMatchObject({ trees: 1, left: 1, withWork: 0, keep: 20 });
  expect(await readdir(trees.settings.worktrees)).toEqual(['waits.aa']);
  expect(runGit(root, 'branch', '--list', '--format=%(refname:short)', 'fleet/*').split('\n').toSorted()).toEqual([
    'fleet/waits',
  ]);
  expect(JSON.parse((await redis.redis.hget(redis.keys.treeHosts, hostname())) ?? '')).toMatchObject({
    trees: 1,
    bytes: 8,
  });
});

test('never removes a tree with something that no commit holds, whatever became of its patch', async () => {
  const cases: [string, (tree: TaskTree) => void][] = [
    ['changed', (tree) => writeFileSync(join(tree.root, 'a.txt'), 'later\n')],
    ['new', (tree) => writeFileSync(join(tree.root, 'new.txt'), 'x\n')],
    ['secret', (tree) => writeFileSync(join(tree.root, '.env'), 'x\n')],
    [
      'committed',
      (tree) => {
        writeFileSync(join(tree.root, 'new.txt'), 'x\n');
        runGit(tree.root, 'add', '-A');
        runGit(tree.root, 'commit', '-qm', 'Later');
      },
    ],
  ];
  for (const [name, change] of cases) change(await end(name, 'x\n', 'discarded'));
  const run = sweep(0);
  expect(await run(signal)).toMatchObject({ trees: 4, left: 4, withWork: 4 });
  expect(await run(signal)).toMatchObject({ trees: 4, withWork: 4 });
  await rm(join(trees.settings.worktrees, 'new.aa', 'tree', 'new.txt'));
  clock += 11 * 60_000;
  expect(await run(signal)).toMatchObject({ trees: 3, withWork: 3 });
});

test('beyond the bound, removes the oldest trees that wait; their commits stay', async () => {
  for (const name of ['t1', 't2', 't3']) {
    const tree = await end(name, `${name}\n`);
    tree.info.madeAt = new Date(clock + Number(name.slice(1)) * 1_000).toISOString();
    await writeFile(join(tree.folder, 'tree.json'), JSON.stringify(tree.info));
  }
  expect(await sweep(1)(signal)).toMatchObject({ trees: 1, left: 1, withWork: 0 });
  expect(await readdir(trees.settings.worktrees)).toEqual(['t3.aa']);
  expect(runGit(root, 'show', 'fleet/t1:a.txt')).toBe('t1');
});

test('leaves trees alone that tasks use, that it cannot judge, and that are no trees', async () => {
  const { worktrees } = trees.settings;
  const used = await trees.open('used');
  await redis.redis.hset(redis.keys.queueKey('tasks', 'used'), 'name', 'task');
  await trees.open('single');
  mkdirSync(join(worktrees, 'notes'));
  mkdirSync(join(worktrees, '.new-1-fresh'));
  mkdirSync(join(worktrees, '.new-1-old'));
  utimesSync(join(worktrees, '.new-1-old'), 1, 1);
  expect(await sweep()(signal)).toMatchObject({ trees: 2, left: 0 });
  expect((await readdir(worktrees)).toSorted()).toEqual(['.new-1-fresh', 'notes', 'single.aa', 'used.aa']);
  clock += 25 * 3_600_000;
  expect(await sweep()(signal)).toMatchObject({ trees: 1, left: 0 }); // of a task that nothing knows any more
  const gone = await end('gone', 'x\n', 'applied');
  await rm(join(root, '.git'), { recursive: true });
  expect(await sweep()(signal)).toMatchObject({ trees: 2, withWork: 1 });
  expect(existsSync(gone.folder) && existsSync(used.folder)).toBe(true);
});

test('removes after an hour what a killed git command left in the temporary folder', async () => {
  const [left, other] = [
    join(tmpdir(), `haiku-fleet-git-${process.pid}`),
    join(tmpdir(), `haiku-fleet-${process.pid}`),
  ];
  for (const path of [left, other]) mkdirSync(join(path, 'git'), { recursive: true });
  try {
    await sweep()(signal);
    expect(existsSync(left)).toBe(true);
    const longAgo = new Date(Date.now() - 3_700_000);
    for (const path of [left, other]) utimesSync(path, longAgo, longAgo);
    await sweep()(signal);
    expect([existsSync(left), existsSync(other)]).toEqual([false, true]);
  } finally {
    for (const path of [left, other]) await rm(path, { recursive: true, force: true });
  }
});
