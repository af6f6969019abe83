import { FleetError } from '../errors.ts';
import { toStoredTokens } from '../findings/stored.ts';
import { toSummaryId } from '../findings/condensed.ts';
import type { Db } from '../redis/db.ts';
import { parseAsWritten, stringifyExact } from '../text/exact-json.ts';
import { JsonObject } from '../text/json-values.ts';
import type { PatchRecord, StateMark } from './types.ts';

/** How long the text of a patch is kept that is applied or discarded. Days. */
const TEXT_KEPT_DAYS = 7;
/** Another program may write the finding at the same moment. */
const TRIES = 5;

/**
 * Stores what became of a patch, in its record and its finding, in one step. Call it after the effect: nobody's word counts.
 * @returns the new record; null: no patch has this id
 */
export async function changePatchState(db: Db, mark: StateMark): Promise<PatchRecord | null> {
  const { redis, keys, scripts } = db;
  const { findingId, ...change } = mark;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = await redis.get(keys.patch(findingId));
    if (before === null) return null;
    const record: PatchRecord = { ...(JSON.parse(before) as PatchRecord), ...change };
    const isOpen = record.state === 'pending' || record.state === 'conflict';
    const finding = await readFinding(db, findingId);
    const after = withState(finding.text, record.state);
    const answer = await scripts['change-patch'](
      {
        record: keys.patch(findingId),
        text: keys.patchText(findingId),
        patches: keys.patches,
        conflicts: keys.patchConflicts,
        finding: finding.key,
        index: keys.index,
        contextActive: keys.contextActive,
      },
      [
        JSON.stringify({
          id: findingId,
          open: isOpen,
          conflict: record.state === 'conflict',
          at: Date.parse(record.createdAt),
          expire_s: isOpen ? false : TEXT_KEPT_DAYS * 86_400,
          tokens: toStoredTokens(after) - toStoredTokens(finding.text),
        }),
        before,
        JSON.stringify(record),
        finding.text,
        after,
      ],
    );
    if (answer === 'changed') return record;
  }
  throw new FleetError(`patch ${findingId}: another program keeps writing it; try again`);
}

/** Finds where the finding's text is: of a condensed one the original. The text is empty where there is none. */
async function readFinding({ redis, keys }: Db, id: string): Promise<{ key: string; text: string }> {
  const [text = null] = await redis.mget(keys.finding(id)); // null for a hash
  if (text === null || toSummaryId(text) === null) return { key: keys.finding(id), text: text ?? '' };
  const [original = null] = await redis.mget(keys.condensed(id));
  return { key: keys.condensed(id), text: original ?? '' };
}

/** Sets `patch.state` of a finding, and changes no other byte of its numbers. A text that has no patch stays as it is. */
function withState(text: string, state: PatchRecord['state']): string {
  if (text === '') return text;
  try {
    const finding = parseAsWritten(text);
    const patch = finding instanceof JsonObject ? finding.get('patch') : undefined;
    if (!(patch instanceof JsonObject) || !patch.has('state')) return text;
    patch.values[patch.names.indexOf('state')] = state;
    return stringifyExact(finding);
  } catch {
    return text; // no JSON: no finding of ours
  }
}
