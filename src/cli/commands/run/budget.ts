import { countOf } from '../../../text/plural.ts';
import type { Config } from '../../../config/environment.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { NotFoundError, UsageError } from '../../../errors.ts';
import { readHalt } from '../../../halt/halt.ts';
import { findMission } from '../../../coordinator/control/find.ts';
import { assertBatch } from '../../../tasks/batch/progress.ts';
import { endPauseForMoney } from '../../../jobs/outcomes/backoff.ts';
import { releaseParked } from '../../../jobs/outcomes/parked.ts';
import { readBudget, seedBudget, setBudget, readOwnBudgets } from '../../../ledger/budget.ts';
import type { BudgetScope, BudgetState } from '../../../ledger/budget-types.ts';
import { describeTightBudget } from '../../output/warnings.ts';
import { printJson, describeBudget } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { runSettleUncertain, type SettleOptions, type VerdictWord } from './settle-uncertain.ts';

export interface BudgetOptions extends SettleOptions {
  batch?: string;
  mission?: string;
  task?: string;
}

/** Does `fleet budget`. */
export async function runBudgetCommand(
  amount: number | VerdictWord | undefined,
  options: BudgetOptions,
): Promise<void> {
  const scope = toScope(options);
  if (options.settleUncertain !== undefined) {
    if (scope !== null) throw new UsageError('budget --settle-uncertain: expected no --batch, --mission or --task');
    return runSettleUncertain(typeof amount === 'string' ? amount : null, options);
  }
  if (options.all === true || options.why !== undefined || typeof amount === 'string') {
    throw new UsageError('budget: paid, unpaid, --all and --why belong to --settle-uncertain');
  }
  return showOrSet(amount, scope, options);
}

async function showOrSet(usd: number | undefined, scope: BudgetScope, options: BudgetOptions): Promise<void> {
  await withFleet(async (fleet) => {
    if (scope !== null) await assertScope(fleet, scope);
    const { db, config } = fleet.inner;
    const now = new Date();
    if (scope === null) await seedBudget(db, config.FLEET_BUDGET_USD);
    if (usd !== undefined) await setBudget(db, usd, scope);
    if (usd !== undefined) await endPauseForMoney(db, fleet.inner.queues.tasks);
    const released = usd === undefined || scope === null ? 0 : await release(fleet, scope);
    const state = await readBudget(db, scope, now);
    const own = scope === null && usd === undefined ? await readOwnBudgets(db, now) : [];
    const halted = (await readHalt(db))?.reason === 'budget';
    if (options.json) return printJson({ ...state, released, haltedForBudget: halted, own });
    console.log(`${toTitle(scope)}: ${describeBudget(state)}`);
    for (const { scope: kind, name, ...budget } of own) console.log(`  ${kind} ${name}: ${describeBudget(budget)}`);
    if (usd !== undefined) warnOfTooLittle(config, state);
    if (released > 0) console.log(`Released: ${countOf(released, 'parked job')}, waiting for a worker again`);
    if (scope !== null && 'mission' in scope && (await findMission(fleet.inner, scope.mission)).parked) {
      console.log(`The mission is parked by a person: fleet resume ${scope.mission} lets it go on`);
    }
    if (scope === null && state.uncertain > 0) console.log('Uncertain calls: fleet costs --uncertain');
    if (halted && scope === null) console.log('The fleet is halted for its budget: fleet resume goes on');
  });
}

/** Warns where the budget allows no call. This is no error: a person may want such a budget. */
function warnOfTooLittle(config: Config, { limit, settled, reserved, uncertain }: BudgetState): void {
  if (limit === null) return;
  const tooLittle = describeTightBudget(config, limit - settled - reserved - uncertain);
  if (tooLittle === null) return;
  const what = limit === 0 ? 'A budget of $0 allows no paid call' : `What is left is ${tooLittle}`;
  console.error(`⚠️  ${what}: the next paid call is not made until the budget is raised`);
}

function toScope({ batch, mission, task }: BudgetOptions): BudgetScope {
  const given = [batch, mission, task].filter((name) => name !== undefined);
  if (given.length > 1) throw new UsageError('budget: expected one of --batch, --mission and --task');
  if (batch !== undefined) return { batch };
  if (mission !== undefined) return { mission };
  return task === undefined ? null : { task };
}

/** @throws NotFoundError or UsageError for a budget that no call checks: of what does not exist, or of a task without one */
async function assertScope({ inner: { db, queues } }: OpenFleet, scope: NonNullable<BudgetScope>): Promise<void> {
  if ('batch' in scope) await assertBatch(db, scope.batch);
  if ('mission' in scope) await findMission({ db, queues }, scope.mission);
  if (!('task' in scope)) return;
  const job = await queues.tasks.getJob(scope.task);
  if (job === undefined) throw new NotFoundError(`job ${scope.task}: no such job in queue tasks`);
  if ((job.data as { budget_usd?: number }).budget_usd === undefined) {
    throw new UsageError(`job ${scope.task}: was enqueued without a budget of its own, so that none is asked`);
  }
}

async function release({ inner }: OpenFleet, scope: NonNullable<BudgetScope>): Promise<number> {
  if ('batch' in scope) return releaseParked(inner, { scope: 'batch', name: scope.batch });
  if ('mission' in scope) return releaseParked(inner, { scope: 'mission', name: scope.mission });
  return releaseParked(inner, { scope: 'task', name: scope.task });
}

function toTitle(scope: BudgetScope): string {
  if (scope === null) return 'Budget a day (UTC)';
  return `Budget of ${Object.entries(scope).flat().join(' ')}`;
}
