import { noteChange } from '../audit/note-change.ts';
import type { AuditVerb } from '../audit/types.ts';
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
    const known = JSON.parse(before) as PatchRecord;
    const record: PatchRecord = { ...known, ...change };
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
          open: isOpen(record.state),
          conflict: record.state === 'conflict',
          at: Date.parse(record.createdAt),
          expire_s: isOpen(record.state) ? false : TEXT_KEPT_DAYS * 86_400,
          tokens: toStoredTokens(after) - toStoredTokens(finding.text),
        }),
        before,
        JSON.stringify(record),
        finding.text,
        after,
      ],
    );
    if (answer !== 'changed') continue;
    await noteState(db, known, record);
    return record;
  }
  throw new FleetError(`patch ${findingId}: another program keeps writing it; try again`);
}

/** That a patch did not fit changes nothing: no one has decided about it. */
async function noteState(db: Db, before: PatchRecord, after: PatchRecord): Promise<void> {
  const { findingId, taskId, state, applied, undone } = after;
  if (state === before.state || (isOpen(state) && isOpen(before.state))) return;
  const commit = before.state === 'applied' ? undone?.commit : state === 'applied' ? applied?.commit : undefined;
  await noteChange(db, {
    what: toVerb(before.state, state),
    about: { patch: findingId, task: taskId },
    before: { state: before.state },
    after: { state, ...(commit === undefined ? {} : { commit }) },
  });
}

/** It waits for a person. */
function isOpen(state: PatchRecord['state']): boolean {
  return state === 'pending' || state === 'conflict';
}

function toVerb(from: PatchRecord['state'], to: PatchRecord['state']): AuditVerb {
  if (from === 'applied') return 'undo';
  return to === 'applied' ? 'apply' : 'discard';
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
