import type { ToolContext } from '../tools/tool.ts';
import type { WorkspaceReader } from './shared-look.ts';
import { toTopLine } from './top-level.ts';

/** Returns the block that tells date, turns, workspace, repository, and what `run` and `http` may reach on this host. */
export async function describeEnvironment(
  context: ToolContext,
  around: {
    maxTurns: number;
    startedAt: Date;
    listTopLevel: WorkspaceReader;
    describeRepository: WorkspaceReader;
    beginning?: { said: string | null; top?: string[] };
  },
): Promise<string> {
  const { workspace, runAllow, httpAllow, otherSwarms = [] } = context;
  const { maxTurns, startedAt, listTopLevel, describeRepository, beginning } = around;
  const turns =
    maxTurns === 1
      ? 'You have one turn, in which no tool can be called.'
      : `You have ${maxTurns} turns; in the last one no tool can be called.`;
  const lines = [`Today is ${startedAt.toISOString().slice(0, 10)} (UTC). ${turns}`];
  if (workspace === null) lines.push('There is no workspace, and no file.');
  else {
    const inside = { ...context, workspace };
    const top = beginning?.top === undefined ? listTopLevel(inside) : toTopLine(beginning.top, inside.files);
    const [names, repository] = await Promise.all([top, describeRepository(inside)]);
    if (names !== null) lines.push(`Workspace ${workspace.name}, top level: ${names}`);
    const git = [repository, beginning?.said ?? null].filter((part) => part !== null);
    if (git.length > 0) lines.push(`Git: ${git.join('. ')}`);
    if (runAllow.length > 0) lines.push(describeRun(context));
  }
  if (otherSwarms.length > 0) lines.push(`Other swarms whose findings you may read: ${otherSwarms.join(', ')}`);
  if (httpAllow.length > 0) lines.push(`The http tool may reach: ${httpAllow.join(', ')}`);
  return `<environment>\n${lines.map(escapeTags).join('\n')}\n</environment>`;
}

function describeRun({ runAllow, run }: ToolContext): string {
  const limit = run === undefined ? '' : `; each for at most ${run.timeoutMs / 1_000} s`;
  const names = Object.keys(run?.env ?? {});
  const variables = names.length === 0 ? '' : `; they get the variables ${names.join(', ')}`;
  return `The run tool may start: ${runAllow.join(', ')}${limit}${variables}`;
}

/** A name cannot close the block or open another. */
function escapeTags(line: string): string {
  return line.replaceAll('<', '&lt;');
}
