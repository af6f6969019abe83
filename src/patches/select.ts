import { NotFoundError, UsageError } from '../errors.ts';
import { toFindingId } from '../findings/finding.ts';
import type { Db } from '../redis/db.ts';
import { assertBatch } from '../tasks/batch/progress.ts';
import { findCarriers } from './carriers.ts';
import { readPatch } from './record.ts';
import type { PatchRecord, PatchSelection } from './types.ts';
import { parseRecord } from '../redis/stored-record.ts';

const PAGE = 200;

/**
 * Reads the selected patches in the order in which they apply: those on which others build first, then the oldest.
 * @throws UsageError for a selection of nothing or of two kinds; NotFoundError for an id without a patch
 */
export async function selectPatches(db: Db, selection: PatchSelection): Promise<PatchRecord[]> {
  const { ids = [], batch, mission } = selection;
  const kinds = [ids.length > 0, batch !== undefined, mission !== undefined].filter(Boolean).length;
  if (kinds !== 1) throw new UsageError('expected finding or task ids, or a batch, or a mission: one of the three');
  if (batch !== undefined) await assertBatch(db, batch);
  const found =
    ids.length > 0
      ? await Promise.all([...new Set(ids)].map((id) => requirePatch(db, id)))
      : (await listOpenPatches(db)).filter((record) =>
          batch === undefined ? record.missionId === mission : record.batch === batch,
        );
  if (mission !== undefined && found.length === 0 && (await db.redis.exists(db.keys.mission(mission))) === 0) {
    throw new NotFoundError(`mission ${mission}: there is none; \`fleet mission ls\` lists them`);
  }
  return toApplyOrder(found);
}

/** Reads all patches that are pending or in conflict, oldest first. */
export async function listOpenPatches({ redis, keys }: Db): Promise<PatchRecord[]> {
  const ids = await redis.zrange(keys.patches, 0, '-1');
  const found: PatchRecord[] = [];
  for (let from = 0; from < ids.length; from += PAGE) {
    const texts = await redis.mget(ids.slice(from, from + PAGE).map((id) => keys.patch(id)));
    found.push(...texts.map((text) => parseRecord(text) as PatchRecord | null).filter((record) => record !== null));
  }
  return found;
}

/** Reads the newest patches that are pending or in conflict, the newest first. @param count at most so many */
export async function listNewestPatches({ redis, keys }: Db, count: number): Promise<PatchRecord[]> {
  const ids = await redis.zrange(keys.patches, 0, String(count - 1), 'REV');
  const texts = ids.length === 0 ? [] : await redis.mget(ids.map((id) => keys.patch(id)));
  return texts.map((text) => parseRecord(text) as PatchRecord | null).filter((record) => record !== null);
}

/** @param id of a finding or task. @throws NotFoundError */
export async function requirePatch(db: Db, id: string): Promise<PatchRecord> {
  const record = await findPatch(db, id);
  if (record !== null) return record;
  throw new NotFoundError(`patch ${id}: there is none; \`fleet diff\` lists those that wait`);
}

/** @param given id of a finding or task. @returns null: there is none */
export async function findPatch(db: Db, given: string): Promise<PatchRecord | null> {
  const id = given.replace(/^finding:/, '');
  const own = (await readPatch(db, id)) ?? (await readPatch(db, toFindingId(id)));
  if (own !== null) return own;
  return (await listOpenPatches(db)).find(({ taskId }) => taskId === id) ?? null; // its caller chose the id of its finding
}

/** Those on which others build come first; else the oldest. */
export function toApplyOrder(records: readonly PatchRecord[]): PatchRecord[] {
  const byId = new Map(records.map((record) => [record.findingId, record]));
  const carriers = findCarriers(records);
  const ordered = new Set<PatchRecord>();
  const visit = (record: PatchRecord, above: ReadonlySet<string>): void => {
    if (ordered.has(record) || above.has(record.findingId)) return;
    for (const id of record.buildsOn) {
      const needed = carriers.get(id) ?? byId.get(id);
      if (needed !== undefined) visit(needed, new Set([...above, record.findingId]));
    }
    ordered.add(record);
  };
  const oldest = records.toSorted(
    (a, b) => a.createdAt.localeCompare(b.createdAt) || a.findingId.localeCompare(b.findingId),
  );
  for (const record of oldest) visit(record, new Set());
  return [...ordered];
}
