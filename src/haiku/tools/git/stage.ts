import { createHash } from 'node:crypto';
import { listGit, mustGit, type Git } from '../../../git/git.ts';
import { isAllowedName } from '../files/safe-path.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import type { WorkspaceContext } from '../tool.ts';
import type { Scene } from './scene.ts';

/** What `add`, `commit -a` or `commit PATH` asks to stage. */
export interface StageRequest {
  /** Checked paths in the form `./path`, relative to the command's folder. Empty: everything. */
  paths: readonly string[];
  /** Whether files that git does not track are taken, too. */
  untracked: boolean;
}

/** What was staged. */
export interface Staged {
  /** Relative to the top of the working tree. */
  paths: string[];
  /** What was left out, with the reason, for the model. */
  notes: string[];
}

const MOST_NAMED = 10;

/**
 * Stages the changed files of a request, each by its own name: git looks into no nested repository, and runs no filter. In
 * the shared tree only files that this task changed are taken.
 * @param git with the index that is to hold them
 * @throws ToolRefusal for a path that matches nothing, has a filter, or that the task may not stage
 */
export async function stage(scene: Scene, git: Git, request: StageRequest, context: WorkspaceContext): Promise<Staged> {
  const found = await listChanged(git, request);
  const notes: string[] = [];
  const take = (paths: string[], isTaken: (path: string) => boolean, why: string): string[] => {
    const left = paths.filter((path) => !isTaken(path));
    if (left.length > 0) notes.push(`left out, ${why}: ${toNames(left)}`);
    return paths.filter(isTaken);
  };
  const files = take(found, (path) => !path.endsWith('/'), 'repositories of their own');
  const open = take(files, (path) => isAllowedName(path, context.files), 'named like secrets');
  const mine = scene.shared === null ? open : take(open, (path) => isMine(path, context), 'not changed by this task');
  if (mine.length === 0 && open.length > 0 && request.paths.length > 0) {
    throw new ToolRefusal(
      `git: ${toNames(open)}: this task has not changed it; in a shared tree it stages only its own changes`,
    );
  }
  await refuseFiltered(scene, git, mine);
  if (scene.shared !== null) await refuseMixed(scene, git, mine, context);
  if (mine.length > 0) {
    await mustGit(git, ['-C', scene.top, 'update-index', '-z', '--add', '--remove', '--stdin'], {
      input: mine.map((path) => `${path}\0`).join(''),
    });
  }
  return { paths: mine, notes };
}

/** Lists changed, new and deleted files, each once. A folder that is a repository of its own ends with `/`. */
async function listChanged(git: Git, { paths, untracked }: StageRequest): Promise<string[]> {
  const specs = paths.length === 0 ? ['--', ':/'] : ['--', ...paths];
  if (paths.length > 0) {
    const known = await git(['ls-files', '--error-unmatch', '--cached', '--others', '--exclude-standard', ...specs]);
    if (known.code !== 0) {
      throw new ToolRefusal(
        `git: ${/pathspec '(?:\.\/)?(.*)' did not/.exec(known.output)?.[1] ?? 'a path'}: matches no file here, or only ignored ones`,
      );
    }
  }
  const which = ['--modified', '--deleted', ...(untracked ? ['--others', '--exclude-standard'] : [])];
  return [...new Set(await listGit(git, ['ls-files', '-z', '--full-name', ...which, ...specs]))].toSorted();
}

function isMine(path: string, { state, files }: WorkspaceContext): boolean {
  return state.changes.has(path) || files.includes(path);
}

/** @throws ToolRefusal naming a path and its filter: without its program, git would store other bytes than the person's */
async function refuseFiltered({ top }: Scene, git: Git, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const attributes = await listGit(git, ['-C', top, 'check-attr', '-z', '--stdin', 'filter'], {
    input: paths.map((path) => `${path}\0`).join(''),
  });
  for (let i = 0; i + 2 < attributes.length; i += 3) {
    const [path = '', , driver = ''] = attributes.slice(i, i + 3);
    if (['unspecified', 'unset', 'set'].includes(driver)) continue;
    throw new ToolRefusal(
      `git: ${JSON.stringify(path)}: passes the filter ${JSON.stringify(driver)}, and the fleet runs no filter; a person must commit it`,
    );
  }
}

/** @throws ToolRefusal for a file that held uncommitted changes of somebody else when this task first changed it */
async function refuseMixed(scene: Scene, git: Git, paths: readonly string[], context: WorkspaceContext): Promise<void> {
  const { before } = context.state;
  for (const path of paths) {
    if (!before.has(path) || context.files.includes(path)) continue;
    const known = before.get(path) ?? null;
    if (known === (await hashAtHead(scene, git, path))) continue;
    throw new ToolRefusal(
      `git: ${JSON.stringify(path)}: held uncommitted changes of somebody else when this task first changed it; a person must commit it`,
    );
  }
}

/** @returns sha256 of the file as a checkout of HEAD would write it; null: HEAD has no such file */
async function hashAtHead({ head }: Scene, git: Git, path: string): Promise<string | null> {
  if (head === null) return null;
  const { code, stdout } = await git(['cat-file', '--filters', `${head.commit}:${path}`]);
  return code === 0 && stdout !== null ? createHash('sha256').update(stdout).digest('hex') : null;
}

function toNames(paths: readonly string[]): string {
  const rest = paths.length - MOST_NAMED;
  return paths.slice(0, MOST_NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
