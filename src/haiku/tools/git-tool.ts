import { lstat } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { z } from 'zod';
import { parseGitArguments, type GitArguments } from './git-arguments.ts';
import { openGit, type Git } from './git-process.ts';
import { GUARDED_NAMES } from './guarded-names.ts';
import { requireWorkspace, ToolRefusal } from './refusal.ts';
import { isAllowedName, resolveFolder, resolveInside } from './safe-path.ts';
import { defineTool, type ToolOutcome, type WorkspaceContext } from './tool.ts';
import { withWorkspaceLock } from './workspace-lock.ts';
import { compareSnapshot, takeSnapshot } from './workspace-snapshot.ts';

/** Author of commits where the repository's own configuration names none. */
const AUTHOR = { name: 'haiku-fleet worker', email: 'worker@haiku-fleet.invalid' };

const READ_ONLY = ['status', 'diff', 'log', 'show'];
const SHOWS_CONTENT = ['diff', 'log', 'show'];

/** git, as far as a worker needs it, without hooks, remotes or any program the repository's configuration names. */
export const gitTool = defineTool({
  name: 'git',
  description:
    'Run git: status, diff, log, show, add, commit (with -m), branch, worktree. args is the command and its arguments, e.g. ["commit", "-m", "Fix the link"]. No remotes, no hooks. Put -- before paths.',
  input: z.strictObject({
    args: z.array(z.string().max(100_000)).min(1).max(500),
    cwd: z.string().min(1).optional().describe('folder of the repository or worktree, relative to the workspace'),
  }),
  async run({ args, cwd }, given) {
    const context = requireWorkspace(given);
    const parsed = parseGitArguments(args[0] === 'git' ? args.slice(1) : args);
    const folder = await resolveFolder(cwd, context);
    return await withWorkspaceLock(context, async (signal) => {
      const git = await openGit(folder, context, signal);
      const line = await toCommandLine(parsed, folder, git, context);
      if (!READ_ONLY.includes(parsed.command)) await context.stillMine?.();
      return await execute(git, line, parsed, context);
    });
  },
});

async function execute(
  git: Git,
  line: string[],
  { command }: GitArguments,
  context: WorkspaceContext,
): Promise<ToolOutcome> {
  const { root } = context.workspace;
  const before = command === 'worktree' ? await takeSnapshot(root) : null; // nothing else here writes working files
  const result = await git(line, {
    ...(READ_ONLY.includes(command) ? { GIT_OPTIONAL_LOCKS: '0' } : {}),
    ...(command === 'commit' ? await toAuthor(git) : {}),
  });
  const found = before === null ? null : await compareSnapshot(root, before);
  const output = result.isTimedOut ? `${result.output}\n[killed at its deadline]` : result.output;
  const shown = command === 'worktree' ? output.replaceAll(root, '.') : output;
  return {
    content: result.code === 0 ? shown || '[done, no output]' : `${shown}\n[git ended with exit code ${result.code}]`,
    isError: result.code !== 0,
    ...(found === null ? {} : { changes: found.changes }),
  };
}

async function toAuthor(git: Git): Promise<Record<string, string>> {
  const name = await git(['config', 'user.name']);
  const email = await git(['config', 'user.email']);
  if (name.code === 0 && email.code === 0) return {};
  return {
    GIT_AUTHOR_NAME: AUTHOR.name,
    GIT_AUTHOR_EMAIL: AUTHOR.email,
    GIT_COMMITTER_NAME: AUTHOR.name,
    GIT_COMMITTER_EMAIL: AUTHOR.email,
  };
}

/** The arguments git gets: checked words, then `--`, then checked paths, so that neither can be taken for the other. */
async function toCommandLine(
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

/** Where it was not said, a word is a path if there is such a file, else a revision. */
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
  const within = relative(context.workspace.root, folder).split(sep).join('/');
  for (const path of found) {
    if (path.startsWith(':')) throw new ToolRefusal(`git: path ${JSON.stringify(path)}: may not start with ":"`);
    await resolveInside(posix.isAbsolute(path) ? path : posix.join(within, path), context);
  }
  return { revisions, paths: found };
}

/** @throws ToolRefusal for a word that git could take for an option or for a path outside */
function checkRevision(word: string): string {
  if (/^[-/]|(^|[/:])\.\.(\/|$)|^:\(|\0/.test(word) || word === '') {
    throw new ToolRefusal(`git: ${JSON.stringify(word)} is neither a revision nor a path in the workspace`);
  }
  return word;
}

/** Files of secrets stay hidden in history too: `HEAD:.env`, or the bare id of its content. */
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

/** Leaves files of secrets out of what a command takes in or shows. */
function toHidden({ command, options }: GitArguments, paths: string[]): string[] {
  const showsFiles = /^(-p|--patch|--(num|short)?stat|--name-|--summary|--raw|-[USGWmc]|--unified|--word-diff|--cc)/;
  // Paths make log leave out commits that touch none of them, so they are given only where content is asked for.
  if (command === 'log' && paths.length === 0 && !options.some((option) => showsFiles.test(option))) return [];
  if (command === 'commit' && paths.length === 0) return []; // what was added, or what is tracked with -a
  const everything = paths.length === 0 ? [':/'] : [];
  return [
    ...everything,
    ...GUARDED_NAMES.flatMap((name) => [
      `:(top,exclude,icase,glob)**/${name}`,
      `:(top,exclude,icase,glob)**/${name}/**`,
    ]),
  ];
}

/** Whether the paths are single files: their names were checked one by one, nothing else can come in. */
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
  const within = relative(context.workspace.root, folder).split(sep).join('/');
  const target = await resolveInside(posix.isAbsolute(path) ? path : posix.join(within, path), context);
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
