import type { Db } from '../redis/db.ts';
import { readPatch } from './record.ts';
import type { PatchRecord } from './types.ts';

/**
 * Finds which of these patches is applied by another one of them that carries it.
 * @returns finding id of a carried patch → the patch that is applied
 */
export function findCarriers(records: readonly PatchRecord[]): Map<string, PatchRecord> {
  const open = records.filter(({ state }) => state !== 'applied' && state !== 'empty');
  const ids = new Set(open.map(({ findingId }) => findingId));
  const pairs = open.flatMap((record) => (record.carries ?? []).map((id) => [id, record] as const));
  const direct = new Map(pairs.filter(([id]) => ids.has(id)));
  const carriers = new Map<string, PatchRecord>();
  for (const [id, carrier] of direct) {
    let top = carrier;
    for (const seen = new Set([id]); !seen.has(top.findingId);) {
      seen.add(top.findingId);
      top = direct.get(top.findingId) ?? top; // a carrier can be carried itself
    }
    carriers.set(id, top);
  }
  return carriers;
}

/** Reads the patches whose changes a patch holds, those that they carry included. */
export async function readCarried(db: Db, { findingId, carries = [] }: PatchRecord): Promise<PatchRecord[]> {
  const found: PatchRecord[] = [];
  const seen = new Set([findingId, ...carries]);
  for (const id of seen) {
    if (id === findingId) continue;
    const record = await readPatch(db, id);
    if (record === null) continue;
    found.push(record);
    for (const more of record.carries ?? []) seen.add(more); // the loop comes to it
  }
  return found;
}
