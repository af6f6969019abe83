import { readdir } from 'node:fs/promises';
import { toOneLine } from '../../text/one-line.ts';
import { isGitInternal } from '../tools/files/secret-names.ts';
import { isAllowedName } from '../tools/files/safe-path.ts';
import { errorCode } from '../tools/tool-refusal.ts';
import type { ToolContext, WorkspaceContext } from '../tools/tool.ts';
import type { RepositoryReader } from './repository.ts';

/** Names of the workspace's top level that are listed. */
const MOST_NAMES = 60;
const LONGEST_NAME = 100;

/** Returns the block that tells date, turns, workspace, repository, and what `run` and `http` may reach on this host. */
export async function describeEnvironment(
  context: ToolContext,
  around: {
    maxTurns: number;
    startedAt: Date;
    describeRepository: RepositoryReader;
    beginning?: { said: string | null };
  },
): Promise<string> {
  const { workspace, runAllow, httpAllow } = context;
  const { maxTurns, startedAt, describeRepository, beginning } = around;
  const turns =
    maxTurns === 1
      ? 'You have one turn, in which no tool can be called.'
      : `You have ${maxTurns} turns; in the last one no tool can be called.`;
  const lines = [`Today is ${startedAt.toISOString().slice(0, 10)} (UTC). ${turns}`];
  if (workspace === null) lines.push('There is no workspace, and no file.');
  else {
    const inside = { ...context, workspace };
    const [names, repository] = await Promise.all([listTopLevel(inside), describeRepository(inside)]);
    if (names !== null) lines.push(`Workspace ${workspace.name}, top level: ${names}`);
    const git = [repository, beginning?.said ?? null].filter((part) => part !== null);
    if (git.length > 0) lines.push(`Git: ${git.join('. ')}`);
    if (runAllow.length > 0) lines.push(`The run tool may start: ${runAllow.join(', ')}`);
  }
  if (httpAllow.length > 0) lines.push(`The http tool may reach: ${httpAllow.join(', ')}`);
  return `<environment>\n${lines.map(escapeTags).join('\n')}\n</environment>`;
}

/** What glob would find there; null: the folder cannot be read. */
async function listTopLevel({ workspace, files }: WorkspaceContext): Promise<string | null> {
  try {
    const entries = await readdir(workspace.root, { withFileTypes: true });
    const names = entries
      .filter((entry) => entry.isFile() || entry.isDirectory())
      .filter(({ name }) => name !== 'node_modules' && !isGitInternal(name) && isAllowedName(name, files))
      .map((entry) => toOneLine(entry.name, LONGEST_NAME) + (entry.isDirectory() ? '/' : ''))
      .toSorted();
    if (names.length === 0) return 'empty';
    const rest = names.length - MOST_NAMES;
    return [...names.slice(0, MOST_NAMES), ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return null;
  }
}

/** A name cannot close the block or open another. */
function escapeTags(line: string): string {
  return line.replaceAll('<', '&lt;');
}
