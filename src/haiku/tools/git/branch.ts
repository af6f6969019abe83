import { ToolRefusal } from '../tool-refusal.ts';
import type { ToolOutcome, WorkspaceContext } from '../tool.ts';
import type { GitArguments } from './arguments.ts';
import { checkRevision, checkRevisions } from './revisions.ts';
import type { Scene } from './scene.ts';

const DELETES = ['-d', '-D', '--delete'];
const RENAMES = ['-m', '--move'];

/** Whether a branch command makes, deletes or renames a branch. The others list. */
export function changesBranches({ options, words, paths }: GitArguments): boolean {
  if (options.some((option) => [...DELETES, ...RENAMES].includes(option))) return true;
  const lists = options.some((option) =>
    /^(-[alrv]|--(all|list|remotes|show-current|contains|no-contains|merged|no-merged|points-at))/.test(option),
  );
  return !lists && words.length + (paths?.length ?? 0) > 0;
}

/**
 * Makes a branch, or deletes or renames one that this task made.
 * @throws ToolRefusal for a branch of somebody else, a wrong name, or a revision that is no commit
 */
export async function changeBranch(
  scene: Scene,
  parsed: GitArguments,
  context: WorkspaceContext,
): Promise<ToolOutcome> {
  const names = [...parsed.words, ...(parsed.paths ?? [])].map(checkRevision);
  await context.stillMine?.();
  if (parsed.options.some((option) => DELETES.includes(option))) return await remove(scene, names, context);
  if (parsed.options.some((option) => RENAMES.includes(option))) return await rename(scene, names, context);
  const [name = '', start = 'HEAD', ...rest] = names;
  if (rest.length > 0) throw new ToolRefusal('git branch: expected NAME and perhaps one REVISION');
  await checkRevisions([start], context.files, scene.git);
  await create(scene, name, await toCommit(scene, start));
  return { content: `made branch ${name}`, isError: false, branches: { made: [name] } };
}

async function create(scene: Scene, name: string, commit: string): Promise<void> {
  const valid = await scene.git(['check-ref-format', '--branch', name]);
  if (valid.code !== 0) throw new ToolRefusal(`git branch: ${JSON.stringify(name)} is no name for a branch`);
  const made = await scene.refs(['update-ref', `refs/heads/${name}`, commit, '0'.repeat(commit.length)]);
  if (made.code !== 0)
    throw new ToolRefusal(`git branch: ${JSON.stringify(name)}: exists, or is in the way of another name`);
}

async function remove(scene: Scene, names: readonly string[], context: WorkspaceContext): Promise<ToolOutcome> {
  for (const name of names) requireOwn(scene, name, context);
  for (const name of names) {
    const commit = await toCommit(scene, `refs/heads/${name}`);
    await scene.refs(['update-ref', '-d', `refs/heads/${name}`, commit]);
  }
  return { content: `deleted ${names.join(', ')}`, isError: false, branches: { gone: [...names] } };
}

async function rename(scene: Scene, names: readonly string[], context: WorkspaceContext): Promise<ToolOutcome> {
  const [from, to, ...rest] = names;
  if (from === undefined || to === undefined || rest.length > 0)
    throw new ToolRefusal('git branch -m: expected OLD NEW');
  requireOwn(scene, from, context);
  const commit = await toCommit(scene, `refs/heads/${from}`);
  await create(scene, to, commit);
  await scene.refs(['update-ref', '-d', `refs/heads/${from}`, commit]);
  return { content: `renamed ${from} to ${to}`, isError: false, branches: { made: [to], gone: [from] } };
}

function requireOwn({ head }: Scene, name: string, { state }: WorkspaceContext): void {
  if (state.branches.has(name) && head?.branch !== `refs/heads/${name}`) return;
  throw new ToolRefusal(
    `git branch: ${JSON.stringify(name)}: only a branch that this task made, and that is not checked out, can be deleted or renamed`,
  );
}

async function toCommit({ git, refs }: Scene, revision: string): Promise<string> {
  const found = await (revision.startsWith('refs/') ? refs : git)([
    'rev-parse',
    '--verify',
    '--quiet',
    `${revision}^{commit}`,
  ]);
  if (found.code === 0 && found.stdout !== null) return found.stdout.toString('utf8').trim();
  throw new ToolRefusal(`git branch: ${JSON.stringify(revision)} names no commit`);
}
