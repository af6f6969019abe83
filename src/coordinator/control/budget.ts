import type { Queue } from 'bullmq';
import type { QueueName } from '../../../queues/registry.ts';
import type { AuditFields, Change } from '../../audit/types.ts';
import { withAudit } from '../../audit/with-audit.ts';
import { assertClient } from '../../clients/clients.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import { endPauseForMoney } from '../../jobs/outcomes/backoff.ts';
import { countParkedFor, releaseParked, type ParkedScope } from '../../jobs/outcomes/parked.ts';
import type { BudgetScope } from '../../ledger/budget-types.ts';
import { formatLimit, readLimit, setBudget, toLimit } from '../../ledger/budget.ts';
import type { Db } from '../../redis/db.ts';
import { countUnpaid, releasePaid } from '../../rules/chains.ts';
import { assertBatch } from '../../tasks/batch/progress.ts';
import { findMission } from './find.ts';

interface BudgetParts {
  db: Db;
  queues: Record<QueueName, Queue>;
}

/**
 * Sets a budget, and puts the jobs that it had parked back to waiting.
 * @returns how many
 * @throws as `assertScope` does
 */
export async function changeBudget(parts: BudgetParts, usd: number | string, scope: BudgetScope): Promise<number> {
  const { db, queues } = parts;
  await assertScope(parts, scope);
  const parked = scope === null ? null : toParkedScope(scope);
  const waiting = parked === null ? 0 : await countParkedFor(db, parked);
  const before = await readLimit(db, scope);
  return withAudit(db, { what: 'budget', about: toAbout(scope) }, async (note) => {
    await setBudget(db, usd, scope);
    let all = 0;
    try {
      await endPauseForMoney(db, queues.tasks);
      const released = parked === null ? 0 : await releaseParked(parts, parked);
      const chains = scope !== null && 'rule' in scope ? await releasePaid(db, scope.rule) : 0;
      all = chains + Math.max(waiting, released); // a worker that was parking its job sees the new limit, and may be first
      return all;
    } finally {
      await noteBudget(note, scope, { before, limit: toLimit(usd), released: all });
    }
  });
}

async function noteBudget(
  note: (change: Change) => Promise<void>,
  scope: BudgetScope,
  { before, limit, released }: { before: number | null; limit: number; released: number },
): Promise<void> {
  if (limit === before && released === 0) return;
  await note({
    what: 'budget',
    about: toAbout(scope),
    before: { limit: formatLimit(before) },
    after: { limit: formatLimit(limit), ...(released === 0 ? {} : { released }) },
  });
}

function toAbout(scope: BudgetScope): AuditFields {
  return scope === null ? { budget: 'of the day' } : { ...scope };
}

/**
 * How many parked jobs and chains `changeBudget` would put back to waiting; changes nothing.
 * @throws as `changeBudget` does
 */
export async function previewBudget(parts: BudgetParts, usd: number | string, scope: BudgetScope): Promise<number> {
  await assertScope(parts, scope);
  toLimit(usd);
  if (scope === null) return 0;
  const chains = 'rule' in scope ? await countUnpaid(parts.db, scope.rule) : 0;
  return chains + (await countParkedFor(parts.db, toParkedScope(scope)));
}

/** @throws NotFoundError or UsageError for a budget that no call checks: of what does not exist, or of a task without one */
export async function assertScope({ db, queues }: BudgetParts, scope: BudgetScope): Promise<void> {
  if (scope === null) return;
  if ('client' in scope) await assertClient(db, scope.client);
  if ('batch' in scope) await assertBatch(db, scope.batch);
  if ('mission' in scope) await findMission({ db, queues }, scope.mission);
  if ('rule' in scope && (await db.redis.zscore(db.keys.rules, scope.rule)) === null)
    throw new NotFoundError(`rule ${scope.rule}: there is none of this name; fleet when ls lists them`);
  if (!('task' in scope)) return;
  const job = await queues.tasks.getJob(scope.task);
  if (job === undefined) throw new NotFoundError(`job ${scope.task}: no such job in queue tasks`);
  if ((job.data as { budget_usd?: number }).budget_usd === undefined) {
    throw new UsageError(
      `job ${scope.task}: has no budget of its own; where it has failed, or another budget has parked it, fleet retry ${scope.task} --budget USD runs it again with one`,
    );
  }
}

function toParkedScope(scope: NonNullable<BudgetScope>): ParkedScope {
  if ('client' in scope) return { scope: 'client', name: scope.client };
  if ('batch' in scope) return { scope: 'batch', name: scope.batch };
  if ('rule' in scope) return { scope: 'rule', name: scope.rule };
  return 'mission' in scope ? { scope: 'mission', name: scope.mission } : { scope: 'task', name: scope.task };
}
