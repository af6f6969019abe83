import { withoutSecrets } from '../../../config/own-environment.ts';
import { findProgram, type Program } from '../../../process/find-program.ts';
import { runGuarded } from '../../../process/guarded-program.ts';
import { PatchError } from '../../patch-error.ts';
import type { PersonTree } from '../person/person-tree.ts';

const DEADLINE_MS = 10 * 60_000;

/** The person's own programs and remote, with which a branch is published. */
export interface Publisher {
  remote: string;
  git: Program;
  gh: Program;
}

/**
 * Finds what opening a pull request needs, before anything happens.
 * @throws PatchError if `gh`, or a remote to push to, is missing
 */
export async function openPublisher({ repository }: PersonTree, signal: AbortSignal): Promise<Publisher> {
  const git = await findProgram('git', repository.root);
  const gh = await findProgram('gh', repository.root);
  if (git === null || gh === null) throw new PatchError('--pr: gh is not installed; see https://cli.github.com');
  const listed = await run(git, ['remote'], repository.top, signal);
  const chosen = await run(git, ['config', '--get', 'remote.pushDefault'], repository.top, signal);
  const remotes = listed.output.split('\n').filter(Boolean);
  const [only] = remotes;
  const remote =
    chosen.code === 0 ? chosen.output.trim() : remotes.includes('origin') || only === undefined ? 'origin' : only;
  if (!remotes.includes(remote)) throw new PatchError('--pr: the repository has no remote to push to');
  return { remote, git, gh };
}

/**
 * Pushes a branch with the person's own git, and opens a pull request with their `gh`.
 * @param branch short name
 * @returns what `gh` wrote: the address
 * @throws PatchError if one of them fails: the branch stays
 */
export async function publish(
  { repository }: PersonTree,
  { remote, git, gh }: Publisher,
  { branch, title, body }: { branch: string; title: string; body: string },
  signal: AbortSignal,
): Promise<string> {
  const ref = `refs/heads/${branch}`;
  const pushed = await run(git, ['push', remote, `${ref}:${ref}`], repository.top, signal);
  if (pushed.code !== 0) throw new PatchError(`git push ${remote} ${branch}: ${pushed.output.trim()}`);
  const args = ['pr', 'create', '--head', branch, '--title', title, '--body', body];
  const opened = await run(gh, args, repository.top, signal);
  if (opened.code !== 0) throw new PatchError(`gh pr create: ${opened.output.trim()}; the branch ${branch} is pushed`);
  return opened.output.trim();
}

/** The person's program in their environment, without the fleet's keys. */
async function run({ path }: Program, args: readonly string[], cwd: string, signal: AbortSignal) {
  const variables = Object.entries(withoutSecrets(process.env)).filter(([, value]) => value !== undefined);
  const env = { ...(Object.fromEntries(variables) as Record<string, string>), GIT_TERMINAL_PROMPT: '0' };
  return await runGuarded(path, args, { cwd, env, signal, timeoutMs: DEADLINE_MS });
}
