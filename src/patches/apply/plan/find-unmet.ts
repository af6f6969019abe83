import type { Db } from '../../../redis/db.ts';
import { readPatch } from '../../record.ts';
import type { PatchRecord } from '../../types.ts';
import { leave } from './leave.ts';
import type { ApplyPlan, LeftPatch } from './types.ts';

/** Finds the patches that build on others which are neither applied nor among them. */
export async function findUnmet(db: Db, records: readonly PatchRecord[]): Promise<LeftPatch[]> {
  const own = new Set(records.map(({ findingId }) => findingId));
  const unmet: LeftPatch[] = [];
  for (const record of records) {
    for (const id of record.buildsOn.filter((each) => !own.has(each))) {
      const needed = await readPatch(db, id);
      if (needed === null || needed.state === 'applied' || needed.state === 'empty') continue;
      const why = `it builds on ${id}, which is ${needed.state}; apply both: fleet apply ${id} ${record.findingId}`;
      unmet.push(leave(record, 'refused', why));
      break;
    }
  }
  return unmet;
}

/**
 * A patch that builds on another one does not fit without it.
 * @param carriers see `findCarriers`
 */
export function findMissing(
  record: PatchRecord,
  left: readonly LeftPatch[],
  carriers: ReadonlyMap<string, PatchRecord>,
): LeftPatch | null {
  const needed = record.buildsOn.map((id) => carriers.get(id)?.findingId ?? id);
  const missing = left.find((one) => one.outcome !== 'already' && needed.includes(one.record.findingId));
  if (missing === undefined) return null;
  const why = `it builds on ${missing.record.findingId}, which is not applied (${missing.outcome})`;
  return leave(record, 'conflict', why);
}

/** What becomes of a patch whose changes another one of the plan holds. */
export function leaveToCarrier(record: PatchRecord, carrier: PatchRecord, { planned, left }: ApplyPlan): LeftPatch {
  const { findingId } = carrier;
  const commit =
    planned.find((one) => one.record === carrier)?.commit ??
    left.find((one) => one.record === carrier && one.outcome === 'already')?.commit;
  if (commit !== undefined) return { ...leave(record, 'already', `${findingId} holds it, too`), commit };
  return leave(
    record,
    'conflict',
    `it is part of ${findingId}, which is not applied; \`fleet apply ${record.findingId}\` tries it alone`,
  );
}
