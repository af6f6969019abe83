import { z } from 'zod';
import { GitError } from '../../../git/git.ts';
import { READ_ONLY } from '../../../git/settings.ts';
import { resolveFolder } from '../files/safe-path.ts';
import { requireWorkspace, requireWritable, ToolRefusal } from '../tool-refusal.ts';
import { defineTool, type ToolOutcome, type WorkspaceContext } from '../tool.ts';
import { parseGitArguments, type GitArguments } from './arguments.ts';
import { changeBranch, changesBranches } from './branch.ts';
import { toCommandLine } from './command-line.ts';
import { commit } from './commit.ts';
import { readEntries } from './entries.ts';
import { checkPaths } from './paths.ts';
import { checkRevision } from './revisions.ts';
import { withScene, type Scene } from './scene.ts';
import { stage } from './stage.ts';

/**
 * Runs the git commands that a worker needs. Those that read are git's own; those that change are made of plumbing, so that
 * a task stages and commits only what it changed, and no program that the repository names ever starts.
 */
export const gitTool = defineTool({
  name: 'git',
  description:
    'Run git: status, diff, log, show, add, commit (with -m), branch. args is the command and its arguments, e.g. ["commit", "-m", "Fix the link"]. add -A and commit -a take what you changed. No remotes, no hooks, no checkout. Put -- before paths.',
  input: z.strictObject({
    args: z.array(z.string().max(100_000)).min(1).max(500),
    cwd: z.string().min(1).optional().describe('folder of the repository, relative to the workspace'),
  }),
  async run({ args, cwd }, given) {
    const parsed = parseGitArguments(args[0] === 'git' ? args.slice(1) : args);
    const changes = doesChange(parsed);
    const context = changes ? await requireWritable(given) : requireWorkspace(given);
    const folder = await resolveFolder(cwd, context);
    return await withScene(folder, changes, context, async (scene) => {
      const outcome = await runCommand(scene, parsed, folder, context).catch((error: unknown) => {
        if (error instanceof GitError) throw new ToolRefusal(scene.hide(error.message), { cause: error });
        throw error;
      });
      return { ...outcome, content: scene.hide(outcome.content) };
    });
  },
});

function doesChange(parsed: GitArguments): boolean {
  const { command } = parsed;
  return command === 'add' || command === 'commit' || (command === 'branch' && changesBranches(parsed));
}

async function runCommand(
  scene: Scene,
  parsed: GitArguments,
  folder: string,
  context: WorkspaceContext,
): Promise<ToolOutcome> {
  if (parsed.command === 'commit') return await commit(scene, parsed, folder, context);
  if (parsed.command === 'add') return await add(scene, parsed, folder, context);
  if (parsed.command !== 'branch') return await show(scene, await toCommandLine(parsed, folder, scene.git, context));
  if (changesBranches(parsed)) return await changeBranch(scene, parsed, context);
  return await show(scene, ['branch', ...parsed.options, ...parsed.words.map(checkRevision)]);
}

async function show({ git }: Scene, line: string[]): Promise<ToolOutcome> {
  const { code, output, isTimedOut } = await git(line, { env: READ_ONLY });
  const text = isTimedOut ? `${output}\n[killed at its deadline]` : output;
  return {
    content: code === 0 ? text || '[done, no output]' : `${text}\n[git ended with exit code ${code ?? 'of a signal'}]`,
    isError: code !== 0,
  };
}

async function add(
  scene: Scene,
  parsed: GitArguments,
  folder: string,
  context: WorkspaceContext,
): Promise<ToolOutcome> {
  const { options, words } = parsed;
  const paths = await checkPaths([...words, ...(parsed.paths ?? [])], folder, context);
  const all = options.some((option) => ['-A', '--all', '-u', '--update'].includes(option));
  if (!all && paths.length === 0) throw new ToolRefusal('git add: needs paths, or -A for everything');
  await context.stillMine?.();
  const untracked = !options.some((option) => ['-u', '--update'].includes(option));
  const staged = await stage(scene, scene.git, { paths, untracked }, context);
  const entries = scene.shared === null ? null : await readEntries(scene.git, scene.top, staged.paths);
  const said =
    staged.paths.length === 0
      ? ['[nothing to add: no change of this task matches]']
      : staged.paths.map((path) => `add ${path}`);
  return {
    content: [...said.slice(0, 50), ...staged.notes.map((note) => `[${note}]`)].join('\n'),
    isError: false,
    ...(entries === null
      ? {}
      : { staged: Object.fromEntries(staged.paths.map((path) => [path, entries.get(path) ?? ''])) }),
  };
}
