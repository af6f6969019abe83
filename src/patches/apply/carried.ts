import { readCarried } from '../carriers.ts';
import type { PatchHost } from '../patch-host.ts';
import type { PatchRecord, StateMark } from '../types.ts';

/** Finding id of a patch → the patches whose changes it holds. */
export type Carried = ReadonlyMap<string, PatchRecord[]>;

export async function readAllCarried({ db }: Pick<PatchHost, 'db'>, records: readonly PatchRecord[]): Promise<Carried> {
  const found = new Map<string, PatchRecord[]>();
  for (const record of records) {
    if ((record.carries ?? []).length > 0) found.set(record.findingId, await readCarried(db, record));
  }
  return found;
}

/** What becomes true once a patch is applied: what it carries is applied with it. One that a person has settled stays so. */
export function toMarks(
  { findingId }: PatchRecord,
  carried: Carried,
  applied: { commit: string; onto: string | null; at: string },
): StateMark[] {
  const waiting = (carried.get(findingId) ?? []).filter(({ state }) => state === 'pending' || state === 'conflict');
  return [
    { findingId, state: 'applied', applied, undone: null, conflict: null },
    ...waiting.map((one): StateMark => {
      return { findingId: one.findingId, state: 'applied', applied, undone: null, conflict: null };
    }),
  ];
}

/** Says of the open patches which of them hold changes that a person has settled otherwise. */
export function toWarnings(records: readonly PatchRecord[], carried: Carried): string[] {
  return records.flatMap(({ findingId, state }) =>
    state === 'applied' || state === 'empty'
      ? []
      : (carried.get(findingId) ?? []).flatMap((one) => {
          if (one.state === 'discarded')
            return [`${findingId} still holds the changes of ${one.findingId}, which is discarded`];
          if (one.state === 'applied')
            return [`${findingId} also holds the changes of ${one.findingId}, which is applied by itself`];
          return [];
        }),
  );
}
