import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { storePatch } from '../../../src/patches/record.ts';
import type { PatchHost } from '../../../src/patches/patch-host.ts';
import type { PatchRecord } from '../../../src/patches/types.ts';
import { isGuardedName } from '../../../src/haiku/tools/files/secret-names.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import type { Db } from '../../../src/redis/db.ts';
import { makeFolder } from '../folder.ts';

/** A person's repository in a temporary folder, worked by the real git. */
export interface PersonRepository {
  /** Real path of the working tree. */
  root: string;
  /** Runs git as the person. @returns its output, trimmed. @throws Error if it fails */
  git(...args: string[]): string;
  /** Writes files of the working tree. Null: removes one. */
  write(files: Record<string, string | Buffer>): void;
  read(path: string): string;
  /** Commits everything in the working tree. @returns the commit */
  commit(message: string): string;
}

const PERSON = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Person',
  GIT_AUTHOR_EMAIL: 'person@example.invalid',
  GIT_COMMITTER_NAME: 'Person',
  GIT_COMMITTER_EMAIL: 'person@example.invalid',
};

/** @param files of its first commit. @param init options of `git init` */
export function makePersonRepository(
  files: Record<string, string | Buffer> = { 'a.txt': 'one\n' },
  init: string[] = [],
): PersonRepository {
  const root = join(makeFolder(), 'site');
  mkdirSync(root);
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: '/dev/null', ...PERSON },
      maxBuffer: 64 * 1024 * 1024,
    }).trimEnd();
  const repository: PersonRepository = {
    root,
    git,
    write(more) {
      for (const [path, text] of Object.entries(more)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
    },
    read: (path) => readFileSync(join(root, path), 'utf8'),
    commit(message) {
      git('add', '-A');
      git('commit', '-q', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
  };
  git('init', '-q', '-b', 'main', ...init);
  git('config', 'user.name', 'Person');
  git('config', 'user.email', 'person@example.invalid');
  repository.write(files);
  repository.commit('First');
  return repository;
}

export interface PatchSetup extends Partial<PatchRecord> {
  /** Name of the workspace. Default `site`. */
  workspace?: string;
  /** What the task does in its tree, in which it may run git. */
  work: (tree: PersonRepository) => void;
}

/**
 * Makes a patch as a task does: a commit on a branch of the person's repository, the record and the text.
 * @param setup.base commit from which the task begins. Default HEAD
 */
export async function makePatch(
  db: Db,
  person: PersonRepository,
  taskId: string,
  setup: PatchSetup,
): Promise<PatchRecord> {
  const { work, ...more } = setup;
  const base = more.base ?? person.git('rev-parse', 'HEAD');
  const root = join(dirname(person.root), `tree-${taskId}`);
  person.git('worktree', 'add', '-q', '--detach', root, base);
  const inTree = (...args: string[]): string => person.git('-C', root, ...args);
  work({
    root,
    git: inTree,
    write(files) {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
    },
    read: (path) => readFileSync(join(root, path), 'utf8'),
    commit: (message) => inTree('commit', '-q', '-a', '-m', message),
  });
  const message = `Do ${taskId}\n\nFleet-Task: ${taskId}\nFleet-Model: claude-haiku-5-5\nFleet-Cost: $0.0100\n`;
  inTree('add', '-A');
  inTree('commit', '-q', '--allow-empty', '--author', 'haiku-fleet <worker@haiku-fleet.invalid>', '-m', message);
  const head = inTree('rev-parse', 'HEAD');
  const branch = `fleet/${taskId}`;
  person.git('update-ref', `refs/heads/${branch}`, head);
  const numbers = person.git('diff', '--numstat', '-z', base, head);
  person.git('worktree', 'remove', '--force', root);
  const changes = numbers
    .split('\0')
    .filter(Boolean)
    .map((line) => {
      const [added, removed, path = ''] = line.split('\t');
      return { path, added: Number(added) || 0, removed: Number(removed) || 0, lines: '' };
    });
  const text = execFileSync('git', ['diff', '--binary', '--full-index', base, head], {
    cwd: person.root,
    env: { PATH: process.env['PATH'], ...PERSON },
    maxBuffer: 64 * 1024 * 1024,
  });
  const record: PatchRecord = {
    findingId: toFindingId(taskId),
    taskId,
    workspace: 'site',
    host: hostname(),
    base,
    head,
    branch,
    message,
    author: 'haiku-fleet <worker@haiku-fleet.invalid>',
    changes,
    added: changes.reduce((sum, { added }) => sum + added, 0),
    removed: changes.reduce((sum, { removed }) => sum + removed, 0),
    state: 'pending',
    leftOut: [],
    buildsOn: [],
    batch: null,
    missionId: null,
    createdAt: new Date(Date.UTC(2026, 0, 1) + (made += 1_000)).toISOString(),
    applied: null,
    undone: null,
    conflict: null,
    ...more,
  };
  await storePatch(db, record, text);
  return record;
}

let made = 0;

/** This host, with the repository as its workspace `site`. */
export async function openHost(
  redis: TestRedis,
  person: PersonRepository,
  more: Partial<PatchHost> = {},
): Promise<PatchHost> {
  return {
    db: await redis.connectDb(),
    workspaces: { site: person.root },
    dataFolder: join(dirname(person.root), 'data'),
    swarm: redis.swarm,
    links: [],
    author: { name: 'haiku-fleet', email: 'worker@haiku-fleet.invalid' },
    mayPublish: false,
    isGuarded: isGuardedName,
    ...more,
  };
}
