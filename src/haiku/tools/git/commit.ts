import { askGit, GitError, mustGit, type Git } from '../../../git/git.ts';
import { errorCode, ToolRefusal } from '../tool-refusal.ts';
import type { ToolOutcome, WorkspaceContext } from '../tool.ts';
import { checkPaths } from './paths.ts';
import type { GitArguments } from './arguments.ts';
import { putEntries, readEntries, readTreeEntries, updateTheirIndex } from './entries.ts';
import type { Scene } from './scene.ts';
import { stage } from './stage.ts';

/** Author of commits where the worker names none. */
const AUTHOR = { name: 'haiku-fleet', email: 'worker@haiku-fleet.invalid' };

interface CommitRequest {
  message: string;
  all: boolean;
  amend: boolean;
  allowEmpty: boolean;
  isDryRun: boolean;
  /** Checked, in the form `./path`. Empty: what is staged. */
  paths: string[];
}

/**
 * Commits what the task staged, or with paths or `-a` the changes that it made. In the shared tree the commit goes on the
 * person's branch, on top of whatever is there.
 * @throws ToolRefusal for no message, for an amend of a commit that the task did not make, and as `stage`
 */
export async function commit(
  scene: Scene,
  parsed: GitArguments,
  folder: string,
  context: WorkspaceContext,
): Promise<ToolOutcome> {
  const request = await toRequest(parsed, folder, context);
  const base = request.amend ? await requireOwnCommit(scene, context) : (scene.head?.commit ?? null);
  const notes: string[] = [];
  const git = request.paths.length > 0 ? await stageOnly(scene, request, context, notes) : scene.git;
  if (request.paths.length === 0 && request.all)
    notes.push(...(await stage(scene, scene.git, { paths: [], untracked: scene.shared !== null }, context)).notes);
  const tree = await askGit(git, ['write-tree']);
  const parent = request.amend ? await parentOf(scene.git, base) : base;
  const compared = request.amend ? null : base;
  if (
    compared !== null &&
    !request.allowEmpty &&
    tree === (await askGit(scene.git, ['rev-parse', `${compared}^{tree}`]))
  ) {
    return toNothing(notes);
  }
  if (request.isDryRun) return { content: `would commit: ${await toStat(scene.git, base, tree)}`, isError: false };
  await context.stillMine?.();
  const made = await commitTree(scene.git, tree, parent, request.message, context);
  const moved = await moveHead(scene, base, made, request.message);
  if (moved === 'moved') return await finish(scene, base, made, notes, context);
  return {
    content: `git commit: the branch moved meanwhile (another task or a person committed); look again, then commit once more`,
    isError: true,
  };
}

async function toRequest(
  { options, words, paths }: GitArguments,
  folder: string,
  context: WorkspaceContext,
): Promise<CommitRequest> {
  const messages = options.flatMap((option) => /^(?:-m|--message=)([\s\S]*)$/.exec(option)?.[1] ?? []);
  if (messages.join('').trim() === '') throw new ToolRefusal('git commit: needs -m with a message; there is no editor');
  return {
    message: messages.join('\n\n'),
    all: options.includes('-a') || options.includes('--all'),
    amend: options.includes('--amend'),
    allowEmpty: options.includes('--allow-empty'),
    isDryRun: options.includes('--dry-run'),
    paths: await checkPaths([...words, ...(paths ?? [])], folder, context),
  };
}

/** @returns the commit that is amended @throws ToolRefusal unless this task made it */
async function requireOwnCommit({ head }: Scene, { state }: WorkspaceContext): Promise<string> {
  if (head !== null && state.commits.has(head.commit)) return head.commit;
  throw new ToolRefusal(
    'git commit: --amend changes only a commit that this task made, and the last one is not; commit without it',
  );
}

async function parentOf(git: Git, commitId: string | null): Promise<string | null> {
  const { code, stdout } = await git(['rev-parse', '--verify', '--quiet', `${commitId ?? ''}^1`]);
  return code === 0 && stdout !== null ? stdout.toString('utf8').trim() : null;
}

/** Returns a git whose index holds HEAD and the given paths alone, as `git commit -- PATH` makes one. */
async function stageOnly(
  scene: Scene,
  { paths }: CommitRequest,
  context: WorkspaceContext,
  notes: string[],
): Promise<Git> {
  const indexFile = `${await askGit(scene.git, ['rev-parse', '--absolute-git-dir'])}/index.only`;
  const git: Git = (args, call = {}) => scene.git(args, { ...call, env: { ...call.env, GIT_INDEX_FILE: indexFile } });
  await mustGit(git, ['read-tree', ...(scene.head === null ? ['--empty'] : ['--reset', scene.head.commit])]);
  notes.push(...(await stage(scene, git, { paths, untracked: true }, context)).notes);
  return git;
}

async function commitTree(
  git: Git,
  tree: string,
  parent: string | null,
  message: string,
  { commitAs }: WorkspaceContext,
): Promise<string> {
  const { name, email } = commitAs ?? AUTHOR;
  const trailers = (commitAs?.trailers ?? []).flatMap((trailer) => ['--trailer', trailer]);
  const input =
    trailers.length === 0
      ? message
      : await mustGit(git, ['interpret-trailers', ...trailers], { input: `${message}\n` });
  return await askGit(git, ['commit-tree', tree, ...(parent === null ? [] : ['-p', parent])], {
    input,
    env: {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
    },
  });
}

/** Moves the branch, or a detached HEAD, if it still is where it was. */
async function moveHead(scene: Scene, from: string | null, to: string, message: string): Promise<'moved' | 'raced'> {
  const ref = scene.head?.branch ?? (scene.head === null ? await askGit(scene.git, ['symbolic-ref', 'HEAD']) : 'HEAD');
  const subject = message.split('\n', 1)[0] ?? '';
  const old = from ?? '0'.repeat(40);
  const flags = ref === 'HEAD' ? ['--no-deref'] : [];
  const { code, output } = await scene.refs(['update-ref', ...flags, '-m', `commit: ${subject}`, ref, to, old], {
    env: { GIT_COMMITTER_NAME: AUTHOR.name, GIT_COMMITTER_EMAIL: AUTHOR.email },
  });
  if (code === 0) return 'moved';
  const now = await scene.refs(['rev-parse', '--verify', '--quiet', ref]);
  if (now.stdout?.toString('utf8').trim() === old) throw new GitError(`git update-ref: ${output.trim() || 'failed'}`);
  return 'raced';
}

async function finish(
  scene: Scene,
  from: string | null,
  to: string,
  notes: string[],
  context: WorkspaceContext,
): Promise<ToolOutcome> {
  const range = from === null ? ['--root', to] : [from, to];
  const paths = (await mustGit(scene.git, ['diff-tree', '-r', '-z', '--name-only', '--no-commit-id', ...range]))
    .toString('utf8')
    .split('\0')
    .slice(0, -1);
  if (scene.shared === null) await putEntries(scene.git, await toCommitted(scene, to, paths));
  if (scene.shared !== null) {
    const gitDir = await askGit(scene.git, ['rev-parse', '--absolute-git-dir']);
    const change = { paths, from, to };
    await updateTheirIndex(scene.shared, gitDir, change, context.signal).catch((error: unknown) => {
      if (errorCode(error) === undefined && !(error instanceof Error && error.name === 'GitError')) throw error;
      notes.push(
        'the index of the workspace is locked by another git; there the committed files look changed until it is read again',
      );
    });
  }
  const branch = scene.head?.branch?.replace('refs/heads/', '') ?? 'detached HEAD';
  const subject = await askGit(scene.git, ['show', '--no-patch', '--format=%h] %s', to]);
  const stat = await askGit(scene.git, ['diff-tree', '--shortstat', '--no-commit-id', ...range]);
  return {
    content: [`[${branch} ${subject}`, stat, ...notes.map((note) => `[${note}]`)].filter(Boolean).join('\n'),
    isError: false,
    commits: [to],
    ...(scene.shared === null ? {} : { unstaged: paths }),
  };
}

/** The entries of a commit, for paths that only it has staged. */
async function toCommitted(
  { git, top }: Scene,
  commitId: string,
  paths: readonly string[],
): Promise<[string, string][]> {
  const [made, now] = [await readTreeEntries(git, commitId, paths), await readEntries(git, top, paths)];
  return paths.flatMap((path): [string, string][] =>
    made.get(path) === now.get(path) ? [] : [[path, made.get(path) ?? '']],
  );
}

async function toStat(git: Git, from: string | null, tree: string): Promise<string> {
  if (from === null) return 'the first commit';
  return (await askGit(git, ['diff-tree', '--stat', '-r', from, tree])) || 'nothing';
}

function toNothing(notes: readonly string[]): ToolOutcome {
  const left = notes.map((note) => `\n[${note}]`).join('');
  return {
    content: `nothing to commit: this task has staged no change (git add PATH stages one)${left}\n[git ended with exit code 1]`,
    isError: true,
  };
}
