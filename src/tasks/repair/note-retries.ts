import { countOne, describeCounts } from '../../audit/describe-counts.ts';
import { toNamed, noteChange } from '../../audit/note-change.ts';
import type { FieldChanges } from '../../audit/field-changes.ts';
import type { AuditFields, Change } from '../../audit/types.ts';
import { formatLimit } from '../../ledger/budget.ts';
import { NANO_PER_USD, toNanoUsd } from '../../pricing/money.ts';
import type { Db } from '../../redis/db.ts';
import type { RetrySelection, TaskEdit } from './types.ts';

/** What a retry has put back to waiting. */
export interface RetriedJob {
  id: string;
  /** Where it was before: failed, or parked. */
  state: string;
  /** The word of why. */
  reason: string;
  /** What an edit has changed. Null: nothing. */
  changes: FieldChanges | null;
}

/** Notes in the audit what one retry has put back to waiting: one entry, however many they are. */
export async function noteRetries(
  db: Db,
  jobs: readonly RetriedJob[],
  asked: { selection?: RetrySelection; edit?: TaskEdit; fresh?: boolean } = {},
): Promise<void> {
  if (jobs.length > 0) await noteChange(db, toRetryChange(jobs, asked));
}

/** @param jobs at least one */
export function toRetryChange(
  jobs: readonly RetriedJob[],
  { selection = {}, edit, fresh = false }: { selection?: RetrySelection; edit?: TaskEdit; fresh?: boolean } = {},
): Change {
  const [states, reasons] = [new Map<string, number>(), new Map<string, number>()];
  for (const { state, reason } of jobs) {
    countOne(states, state);
    countOne(reasons, reason);
  }
  const changes = jobs.length === 1 ? (jobs[0]?.changes ?? null) : null;
  const { batch } = selection;
  return {
    what: 'retry',
    about: { ...(batch === undefined ? {} : { batch }), ...toNamed(jobs.map(({ id }) => id)) },
    before: { state: describeCounts(states), reason: describeCounts(reasons), ...withMoney(changes?.before ?? {}) },
    after: { state: 'waiting', ...(fresh ? { fresh } : {}), ...withMoney(changes?.after ?? toFields(edit)) },
  };
}

/** The budget as all other limits of the audit are written. */
function withMoney({ budget_usd: usd, ...fields }: AuditFields): AuditFields {
  if (usd === undefined) return fields;
  const isLimit = typeof usd === 'number' && Number.isSafeInteger(Math.round(usd * NANO_PER_USD)); // another program stores what it likes
  return { ...fields, budget: isLimit ? formatLimit(toNanoUsd(usd)) : usd };
}

/** An edit of several tasks, as it was given. */
function toFields({ description, append, model, maxTurns, effort, budgetUsd }: TaskEdit = {}): AuditFields {
  return {
    ...(description === undefined ? {} : { description }),
    ...(append === undefined ? {} : { append }),
    ...(model === undefined ? {} : { model }),
    ...(maxTurns === undefined ? {} : { max_turns: maxTurns }),
    ...(effort === undefined ? {} : { effort }),
    ...(budgetUsd === undefined ? {} : { budget_usd: budgetUsd }),
  };
}
