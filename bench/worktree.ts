import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findRepository, isRepository } from '../src/git/repository.ts';
import { openTree } from '../src/patches/task-tree/open-tree.ts';
import { median, type Measure } from './measure.ts';

const FILES = 10_000;
const FOLDERS = 100;
const ROUNDS = 7;

const git = promisify(execFile);
const { signal } = new AbortController();

/** Measures the working tree that a task gets, of a repository of 10,000 files, beside `git worktree add` in the same run. */
export async function measureWorktree(): Promise<Measure[]> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'fleet-bench-worktree-')));
  try {
    const root = join(folder, 'site');
    const commit = await makeRepository(root);
    const repository = await findRepository(root, root, signal);
    if (!isRepository(repository)) throw new Error('bench: the repository cannot be used');
    const author = { name: 'haiku-fleet', email: 'worker@haiku-fleet.invalid' };
    const settings = { worktrees: join(folder, 'worktrees'), links: [], author, isGuarded: () => false };
    const [own, plain]: [number[], number[]] = [[], []];
    for (let i = 0; i < ROUNDS; i += 1) {
      const task = { taskId: `task-${i}`, findingId: `f-${i}`, workspace: 'site', repository };
      const owner = { ...task, swarm: 'fleet', host: 'bench', isRebuilding: false };
      const base = { tree: 'aa', commit, buildsOn: [] };
      own.push(await time(() => openTree(base, owner, settings, signal)));
      const path = join(folder, `plain-${i}`);
      plain.push(await time(() => git('git', ['worktree', 'add', '-q', '--detach', path, commit], { cwd: root })));
    }
    const [ours, theirs] = [median(own), median(plain)];
    return [
      { name: `tree of a task, ${FILES} files`, value: ours, unit: 'ms', bar: { atMost: 300 } },
      { name: `git worktree add, ${FILES} files`, value: theirs, unit: 'ms' },
      { name: 'tree of a task ÷ git worktree add', value: ours / theirs, unit: 'ratio' },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns id of its only commit */
async function makeRepository(root: string): Promise<string> {
  for (let folder = 0; folder < FOLDERS; folder += 1) {
    const path = join(root, `src/part-${folder}`);
    await mkdir(path, { recursive: true });
    for (let i = 0; i < FILES / FOLDERS; i += 1) {
      await writeFile(join(path, `file-${i}.ts`), `export const value = ${i};\n`.repeat(40));
    }
  }
  const run = (...args: string[]) =>
    git('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.invalid', ...args], { cwd: root });
  await run('init', '-q');
  await run('add', '-A');
  await run('commit', '-q', '-m', 'First');
  return (await run('rev-parse', 'HEAD')).stdout.trim();
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
