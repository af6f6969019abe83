import { toOneLine } from '../../text/one-line.ts';
import { parseGitArguments } from '../tools/git/arguments.ts';
import { toCommandLine } from '../tools/git/command-line.ts';
import { withScene } from '../tools/git/scene.ts';
import { READ_ONLY } from '../../git/settings.ts';
import { ToolRefusal } from '../tools/tool-refusal.ts';
import type { WorkspaceContext } from '../tools/tool.ts';
import { shareLooks, type WorkspaceReader } from './shared-look.ts';

/** A repository that takes longer is left out. */
const DEADLINE_MS = 5_000;
const MOST_CHANGES = 10;
const LONGEST_CHANGE = 200;

/** Creates a reader of branch and changes of a workspace's repository. */
export function createRepositoryReader(): WorkspaceReader {
  return shareLooks(describeRepository, ({ workspace }) => workspace.root);
}

async function describeRepository(context: WorkspaceContext): Promise<string | null> {
  const { root } = context.workspace;
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    return await withScene(root, false, { ...context, signal }, async ({ git }) => {
      const line = await toCommandLine(parseGitArguments(['status', '--short', '--branch']), root, git, context);
      const { code, stdout } = await git(line, { env: READ_ONLY }); // no lock: another task may be writing
      return code === 0 && stdout !== null ? toText(stdout.toString('utf8')) : null;
    });
  } catch (error) {
    if (error instanceof ToolRefusal) return 'no repository';
    if (signal.aborted) return null;
    throw error;
  }
}

/** @param status output of `git status --short --branch` */
function toText(status: string): string {
  const lines = status.split('\n').filter(Boolean);
  const branch = toOneLine((lines[0] ?? '').replace(/^## /, ''), LONGEST_CHANGE);
  const changes = lines.slice(1).map((change) => toOneLine(change, LONGEST_CHANGE));
  if (changes.length === 0) return `${branch}; nothing changed`;
  const rest = changes.length - MOST_CHANGES;
  const shown = [...changes.slice(0, MOST_CHANGES), ...(rest > 0 ? [`and ${rest} more`] : [])];
  return `${branch}; changed: ${shown.join(', ')}`;
}
