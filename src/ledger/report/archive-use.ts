import type { Usage } from '../../../queues/usage.ts';
import { addUsage, NO_USAGE } from '../../pricing/tokens.ts';
import { ARCHIVE } from '../booking-groups.ts';

/** What the librarians used: answers of the archive are no tasks. Money in nano-dollars. */
export interface ArchiveUse {
  calls: number;
  costNano: number;
  usage: Usage;
}

/** How a librarian is named that `FLEET_WORKER_ID` does not name. Older versions counted its calls as nothing apart. */
const LIBRARIAN = /^librarian_/;

export function noArchiveUse(): ArchiveUse {
  return { calls: 0, costNano: 0, usage: { ...NO_USAGE } };
}

/** Adds a measure of the ledger if it is one of these. @returns whether it is */
export function addArchiveUse(sum: ArchiveUse, measure: string, amount: number): boolean {
  if (!measure.startsWith(ARCHIVE)) return false;
  const name = measure.slice(ARCHIVE.length);
  if (name === 'calls') sum.calls += amount;
  else if (name === 'nano') sum.costNano += amount;
  else if (name in sum.usage) sum.usage[name as keyof Usage] += amount; // another one may be of a later version
  return true;
}

/** Counts the whole of a librarian's row as the archive's: the version before wrote the row, or a part of it. */
export function withOldArchiveUse<
  E extends { worker: string | null; calls: number; nano: number; usage: Usage; archive: ArchiveUse },
>(entry: E): E {
  const { worker, calls, nano, usage } = entry;
  if (worker === null || !LIBRARIAN.test(worker)) return entry;
  return { ...entry, archive: { calls, costNano: nano, usage } };
}

export function sumArchiveUse(parts: readonly ArchiveUse[]): ArchiveUse {
  return parts.reduce(
    (sum, part) => ({
      calls: sum.calls + part.calls,
      costNano: sum.costNano + part.costNano,
      usage: addUsage(sum.usage, part.usage),
    }),
    noArchiveUse(),
  );
}
