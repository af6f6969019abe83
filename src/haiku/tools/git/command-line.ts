import { lstat } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import type { GitArguments } from './arguments.ts';
import type { Git } from './process.ts';
import { GUARDED_NAMES } from '../files/secret-names.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import { isAllowedName, resolveInside } from '../files/safe-path.ts';
import type { WorkspaceContext } from '../tool.ts';

const SHOWS_CONTENT = ['diff', 'log', 'show'];

/**
 * Returns the arguments for git: checked words, then `--`, then checked paths, so that git takes neither for the other.
 * @param folder absolute; git runs in it
 * @throws ToolRefusal for a path outside the workspace, a guarded name, or a word that is no revision
 */
export async function toCommandLine(
  parsed: GitArguments,
  folder: string,
  git: Git,
  context: WorkspaceContext,
): Promise<string[]> {
  const { command, options } = parsed;
  if (command === 'commit' && !options.some((option) => /^(-m|--message=)./.test(option))) {
    throw new ToolRefusal('git commit: needs -m with a message; there is no editor');
  }
  if (command === 'branch')
    return [command, ...options, ...parsed.words.map(checkRevision), ...(parsed.paths ?? []).map(checkRevision)];
  if (command === 'worktree') return await toWorktreeLine(parsed, folder, context);
  const { revisions, paths } = await splitWords(parsed, folder, context);
  const safe = SHOWS_CONTENT.includes(command) ? ['--no-ext-diff', '--no-textconv'] : [];
  if (command === 'status' || command === 'diff') safe.push('--ignore-submodules=dirty');
  for (const revision of revisions) await checkContent(revision, command, git, context);
  const isBlob = revisions.length > 0 && revisions.every((revision) => revision.includes(':'));
  const hidden = command === 'status' || isBlob || (await areFiles(paths, folder)) ? [] : toHidden(parsed, paths);
  if (command === 'add' && options.length === 0 && paths.length === 0) {
    throw new ToolRefusal('git add: needs paths, or -A for everything');
  }
  return [command, ...safe, ...options, ...revisions, '--', ...paths.map((path) => `./${path}`), ...hidden];
}

/** Sorts words into revisions and paths. Without `--`, a word is a path if the file exists, else a revision. */
async function splitWords(
  { command, words, paths }: GitArguments,
  folder: string,
  context: WorkspaceContext,
): Promise<{ revisions: string[]; paths: string[] }> {
  const onlyPaths = ['add', 'commit', 'status'].includes(command);
  const revisions: string[] = [];
  const found = [...(paths ?? [])];
  for (const word of words) {
    const isPath = onlyPaths || (paths === null && !word.startsWith(':') && (await exists(join(folder, word))));
    if (isPath) found.push(word);
    else revisions.push(checkRevision(word));
  }
  for (const path of found) {
    if (path.startsWith(':')) throw new ToolRefusal(`git: path ${JSON.stringify(path)}: may not start with ":"`);
    await resolveFrom(folder, path, context);
  }
  return { revisions, paths: found };
}

/** @throws ToolRefusal for a word that git could take for an option, or for a path outside the workspace */
function checkRevision(word: string): string {
  if (/^[-/]|(^|[/:])\.\.(\/|$)|^:\(|\0/.test(word) || word === '') {
    throw new ToolRefusal(`git: ${JSON.stringify(word)} is neither a revision nor a path in the workspace`);
  }
  return word;
}

/** @throws ToolRefusal for a guarded file in history: `HEAD:.env`, or the bare id of a blob, whose name is unknown */
async function checkContent(revision: string, command: string, git: Git, context: WorkspaceContext): Promise<void> {
  const colon = revision.indexOf(':');
  if (colon >= 0 && !revision.startsWith(':/')) {
    const path = posix.normalize(revision.slice(colon + 1).replace(/^\d:/, ''));
    if (isAllowedName(path, context.files)) return;
    throw new ToolRefusal(`git: ${JSON.stringify(revision)}: is named like a file of secrets`);
  }
  if (!['show', 'diff'].includes(command) || revision.includes('..')) return;
  const type = await git(['cat-file', '-t', `${revision}^{}`]);
  if (type.stdout?.trim() !== 'blob') return;
  throw new ToolRefusal(`git: ${JSON.stringify(revision)}: is the content of a file; name it as REVISION:path`);
}

/** Returns path patterns that exclude guarded files from what a command shows or adds. */
function toHidden({ command, options }: GitArguments, paths: string[]): string[] {
  const showsFiles = /^(-p|--patch|--(num|short)?stat|--name-|--summary|--raw|-[USGWmc]|--unified|--word-diff|--cc)/;
  // With paths, log leaves out commits that touch none of them. So they are added only if the options show content.
  if (command === 'log' && paths.length === 0 && !options.some((option) => showsFiles.test(option))) return [];
  if (command === 'commit' && paths.length === 0) return []; // it takes what was added, or with -a what is tracked
  const everything = paths.length === 0 ? [':/'] : [];
  return [
    ...everything,
    ...GUARDED_NAMES.flatMap((name) => [
      `:(top,exclude,icase,glob)**/${name}`,
      `:(top,exclude,icase,glob)**/${name}/**`,
    ]),
  ];
}

/** Whether all paths are single files. Their names are checked one by one, so no other file is shown. */
async function areFiles(paths: string[], folder: string): Promise<boolean> {
  if (paths.length === 0) return false;
  for (const path of paths) {
    if (/[*?[\\]/.test(path)) return false;
    const stats = await lstat(join(folder, path)).catch(() => null);
    if (stats === null || stats.isDirectory()) return false;
  }
  return true;
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

async function toWorktreeLine(parsed: GitArguments, folder: string, context: WorkspaceContext): Promise<string[]> {
  const [action = '', path, ...rest] = [...parsed.words, ...(parsed.paths ?? [])];
  if (action === 'list' && path === undefined) return ['worktree', 'list', ...parsed.options];
  if (!['add', 'remove'].includes(action) || path === undefined) {
    throw new ToolRefusal('git worktree: expected list, add PATH [REVISION] or remove PATH');
  }
  const target = await resolveFrom(folder, path, context);
  if (target === '') throw new ToolRefusal('git worktree: the path may not be the workspace itself');
  return [
    'worktree',
    action,
    ...parsed.options,
    '--',
    join(context.workspace.root, target),
    ...rest.map(checkRevision),
  ];
}

/** Resolves a path that is relative to a folder of the workspace. @returns as `resolveInside` */
async function resolveFrom(folder: string, path: string, context: WorkspaceContext): Promise<string> {
  const within = relative(context.workspace.root, folder).split(sep).join('/');
  return await resolveInside(posix.isAbsolute(path) ? path : posix.join(within, path), context);
}
