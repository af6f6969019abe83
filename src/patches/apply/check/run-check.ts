import { withoutSecrets } from '../../../config/own-environment.ts';
import { GitError } from '../../../git/git.ts';
import { runGuarded } from '../../../process/guarded-program.ts';
import { toMessage } from '../../../errors.ts';
import type { PatchHost } from '../../patch-host.ts';
import { TreeError } from '../../task-tree/tree-error.ts';
import type { PersonTree } from '../person/person-tree.ts';
import type { Scratch } from '../person/scratch.ts';
import { withCheckTree } from './check-tree.ts';

/** Longest run of a check. */
const DEADLINE_MS = 30 * 60_000;
/** What is shown of a failed check: so many of its last lines, and so many characters. */
const TAIL_LINES = 20;
const TAIL_LENGTH = 4_000;

/**
 * Runs the person's own command line in a tree of a commit. It gets their environment, without the fleet's keys.
 * @returns null: it exits 0; else why it failed, with the tail of its output
 * @throws the signal's reason
 */
export async function runCheck(
  host: PatchHost,
  tree: PersonTree,
  scratch: Scratch,
  { command, commit, signal }: { command: string; commit: string; signal: AbortSignal },
): Promise<string | null> {
  try {
    return await withCheckTree(host, tree, scratch, commit, signal, async (cwd) => {
      const variables = Object.entries(withoutSecrets(process.env)).filter(([, value]) => value !== undefined);
      const env = Object.fromEntries(variables) as Record<string, string>;
      const options = { cwd, env, signal, timeoutMs: DEADLINE_MS };
      const { code, output, isTimedOut } = await runGuarded('/bin/sh', ['-c', command], options);
      if (code === 0) return null;
      const how = isTimedOut ? `ran longer than ${DEADLINE_MS / 60_000} minutes` : `ended with exit code ${code}`;
      return `the check ${how}\n${toTail(output)}`.trimEnd();
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GitError || error instanceof TreeError) return `no tree for the check: ${toMessage(error)}`;
    throw error;
  }
}

function toTail(output: string): string {
  return output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n').slice(-TAIL_LENGTH);
}
