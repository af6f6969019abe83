import { z } from 'zod';
import { parseGitArguments, type GitArguments } from './arguments.ts';
import { toCommandLine } from './command-line.ts';
import { openGit, type Git } from './process.ts';
import { requireWorkspace } from '../tool-refusal.ts';
import { resolveFolder } from '../files/safe-path.ts';
import { defineTool, type ToolOutcome, type WorkspaceContext } from '../tool.ts';
import { withWorkspaceLock } from '../files/workspace-lock.ts';
import { compareSnapshot, takeSnapshot } from '../run/workspace-snapshot.ts';

/** Author of commits if the repository's configuration names none. */
const AUTHOR = { name: 'haiku-fleet worker', email: 'worker@haiku-fleet.invalid' };

const READ_ONLY = ['status', 'diff', 'log', 'show'];

/** Runs the git commands that a worker needs, without hooks, remotes, or programs named by the repository's configuration. */
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
  const before = command === 'worktree' ? await takeSnapshot(root) : null; // the other commands write no working files
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
