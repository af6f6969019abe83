import type { StoredFinding } from '../../findings/types.ts';
import { listOpenPatches } from '../../patches/select.ts';
import type { Db } from '../../redis/db.ts';
import { countOf } from '../../text/plural.ts';
import { fitLine } from './print.ts';

/**
 * One line about the patches of a batch or mission that wait for a person, with the command that applies them.
 * @returns null: none waits
 */
export async function describeWaiting(db: Db, of: { batch: string } | { mission: string }): Promise<string | null> {
  const open = await listOpenPatches(db);
  const own = open.filter((record) => ('batch' in of ? record.batch === of.batch : record.missionId === of.mission));
  if (own.length === 0) return null;
  const flag = 'batch' in of ? `--batch ${of.batch}` : `--mission ${of.mission}`;
  const [who, verb] = [countOf(own.length, 'patch', 'patches'), own.length === 1 ? 'waits' : 'wait'];
  return `${who} ${verb}: fleet diff ${flag}, fleet apply ${flag}`;
}

/** What a finding's patch is, and what a person can do with it. @returns null: it has none. Other programs write findings too */
export function describePatch({ finding_id: id, patch }: StoredFinding): string | null {
  if (typeof patch !== 'object' || patch === null || typeof patch.files !== 'number') return null;
  const { state, files, added, removed } = patch;
  const size = fitLine(`${countOf(files, 'file')}, +${added} -${removed}`, 80);
  switch (state) {
    case 'pending':
    case 'conflict':
      return `${state}: ${size}; fleet diff ${id}, fleet apply ${id}`;
    case 'applied':
      return `applied: ${size}; fleet undo ${id}`;
    case 'discarded':
      return `discarded: ${size}`;
    case 'empty':
      return 'empty: it changed nothing';
    default:
      return null;
  }
}
