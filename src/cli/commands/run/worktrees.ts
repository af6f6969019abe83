import type { WorktreeLine } from '../../../patches/apply/clean/types.ts';
import { countOf } from '../../../text/plural.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { fitLine, printJson, renderTable } from '../../output/print.ts';

export interface WorktreesOptions {
  prune?: boolean;
  json?: boolean;
}

/** Does `fleet worktrees`. */
export async function runWorktreesCommand({ prune = false, json = false }: WorktreesOptions): Promise<void> {
  await withFleet(async (fleet) => {
    const report = await fleet.patches.worktrees({ prune });
    if (json) return printJson(report);
    const { trees, removed } = report;
    if (removed.length > 0) console.log(`Removed ${countOf(removed.length, 'tree')}, ${toSize(sum(removed))}`);
    if (trees.length === 0) return console.log('No task has a working tree on this host.');
    const now = Date.now();
    const rows = trees.map((line) => toRow(line, now));
    console.log(renderTable([['task', 'workspace', 'state', 'size', 'age', 'stays because'], ...rows], [3, 4]));
    console.log(`${countOf(trees.length, 'tree')}, ${toSize(sum(trees))}`);
  });
}

function toRow({ taskId, workspace, state, bytes, madeAt, kept }: WorktreeLine, now: number): string[] {
  const why = kept === '' ? 'nothing: --prune removes it' : kept;
  return [
    fitLine(taskId, 60),
    fitLine(workspace, 20),
    state,
    toSize(bytes),
    toAge(now - Date.parse(madeAt)),
    fitLine(why, 200),
  ];
}

function sum(lines: readonly WorktreeLine[]): number {
  return lines.reduce((total, { bytes }) => total + bytes, 0);
}

function toSize(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function toAge(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} d`;
}
