import type { VerdictWord } from '../../../coordinator/control/settle-calls.ts';
import { countOf } from '../../../text/plural.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { UsageError } from '../../../errors.ts';
import { readHalt } from '../../../halt/halt.ts';
import { findMission } from '../../../coordinator/control/find.ts';
import { assertScope, changeBudget } from '../../../coordinator/control/budget.ts';
import { readBudget, seedBudget, readOwnBudgets } from '../../../ledger/budget.ts';
import type { BudgetScope, BudgetState } from '../../../ledger/budget-types.ts';
import { describeTightForWorkers } from '../../output/warnings.ts';
import { describeBudget } from '../../../ledger/budget.ts';
import { printJson } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { runSettleUncertain, type SettleOptions } from './settle-uncertain.ts';

export interface BudgetOptions extends SettleOptions {
  client?: string;
  batch?: string;
  mission?: string;
  rule?: string;
  task?: string;
}

/** Does `fleet budget`. */
export async function runBudgetCommand(
  amount: number | VerdictWord | undefined,
  options: BudgetOptions,
): Promise<void> {
  const scope = toScope(options);
  if (options.settleUncertain !== undefined) {
    if (scope !== null)
      throw new UsageError('budget --settle-uncertain: expected no --client, --batch, --mission, --rule or --task');
    return runSettleUncertain(typeof amount === 'string' ? amount : null, options);
  }
  if (options.all === true || options.why !== undefined || typeof amount === 'string') {
    throw new UsageError('budget: paid, unpaid, --all and --why belong to --settle-uncertain');
  }
  return showOrSet(amount, scope, options);
}

async function showOrSet(usd: number | undefined, scope: BudgetScope, options: BudgetOptions): Promise<void> {
  await withFleet(async (fleet) => {
    const { db, config } = fleet.inner;
    if (scope === null) await seedBudget(db, config.FLEET_BUDGET_USD);
    if (usd === undefined) await assertScope(fleet.inner, scope);
    const released = usd === undefined ? 0 : await changeBudget(fleet.inner, usd, scope);
    const state = await readBudget(db, scope);
    const own = scope === null && usd === undefined ? await readOwnBudgets(db) : [];
    const halted = (await readHalt(db))?.reason === 'budget';
    if (options.json) return printJson({ ...state, released, haltedForBudget: halted, own });
    console.log(`${toTitle(scope)}: ${describeBudget(state)}`);
    for (const { scope: kind, name, ...budget } of own) console.log(`  ${kind} ${name}: ${describeBudget(budget)}`);
    if (usd !== undefined) await warnOfTooLittle(fleet, state);
    if (released > 0) console.log(`Released: ${countOf(released, 'parked job')}, waiting for a worker again`);
    if (scope !== null && 'mission' in scope && (await findMission(fleet.inner, scope.mission)).parked) {
      console.log(`The mission is parked by a person: fleet resume ${scope.mission} lets it go on`);
    }
    if (scope === null && state.uncertain > 0) console.log('Uncertain calls: fleet costs --uncertain');
    if (halted && scope === null) console.log('The fleet is halted for its budget: fleet resume goes on');
  });
}

/** Warns where the budget allows no call. This is no error: a person may want such a budget. */
async function warnOfTooLittle(fleet: OpenFleet, { limit, settled, reserved, uncertain }: BudgetState): Promise<void> {
  if (limit === null) return;
  const tooLittle = await describeTightForWorkers(fleet, limit - settled - reserved - uncertain);
  if (tooLittle === null) return;
  const what = limit === 0 ? 'A budget of $0 allows no paid call' : `What is left is ${tooLittle}`;
  console.error(`⚠️  ${what}: the next paid call is not made until the budget is raised`);
}

function toScope({ client, batch, mission, rule, task }: BudgetOptions): BudgetScope {
  const given = [client, batch, mission, rule, task].filter((name) => name !== undefined);
  if (given.length > 1) throw new UsageError('budget: expected one of --client, --batch, --mission, --rule and --task');
  if (client !== undefined) return { client };
  if (batch !== undefined) return { batch };
  if (mission !== undefined) return { mission };
  if (rule !== undefined) return { rule };
  return task === undefined ? null : { task };
}

function toTitle(scope: BudgetScope): string {
  if (scope === null) return 'Budget a day (UTC)';
  return `Budget of ${Object.entries(scope).flat().join(' ')}`;
}
