import { listContexts, readContext, removeContext, saveContext } from '../contexts/memory-contexts.ts';
import { assertScope, changeBudget } from '../coordinator/control/budget.ts';
import { UsageError } from '../errors.ts';
import { createHaltSwitch, readHalt, type HaltSwitch } from '../halt/halt.ts';
import type { BudgetScope } from '../ledger/budget-types.ts';
import { readBudget, seedBudget } from '../ledger/budget.ts';
import { toUsd } from '../pricing/money.ts';
import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import { currentUser } from '../swarm/current-user.ts';
import { createNotifier } from '../swarm/notify.ts';
import { readSession, startSession } from '../swarm/session.ts';
import type { VerbParts } from './jobs.ts';
import { assertOptions, assertText } from './given/options.ts';
import type { BudgetReport, Fleet } from './types.ts';

/** Creates what a person decides about the whole fleet: budgets, halts, sessions, contexts. */
export function createFleetControl(
  parts: VerbParts,
): Pick<Fleet, 'budget' | 'halt' | 'resume' | 'session' | 'contexts'> {
  const { db, queues, config } = parts;
  const guard = <T>(work: () => Promise<T>): Promise<T> => withRedisErrors(config.REDIS_URL, work);

  async function withHalt<T>(work: (halt: HaltSwitch) => Promise<T>): Promise<T> {
    const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
    return guard(() => work(createHaltSwitch(db, Object.values(queues), { notifier })).finally(() => notifier.flush()));
  }

  async function reportBudget(scope: BudgetScope, released: number): Promise<BudgetReport> {
    const [{ limit, settled, reserved, uncertain }, halt] = await Promise.all([readBudget(db, scope), readHalt(db)]);
    const left = limit === null ? null : Math.max(0, limit - settled - reserved - uncertain);
    return {
      limitUsd: toUsd(limit),
      limitNanoUsd: limit,
      settledUsd: toUsd(settled),
      settledNanoUsd: settled,
      reservedUsd: toUsd(reserved),
      reservedNanoUsd: reserved,
      uncertainUsd: toUsd(uncertain),
      uncertainNanoUsd: uncertain,
      leftUsd: toUsd(left),
      leftNanoUsd: left,
      released,
      haltedForBudget: halt?.reason === 'budget',
    };
  }

  return {
    budget: {
      async read(scope = null) {
        assertBudgetScope(scope);
        return guard(async () => {
          await assertScope({ db, queues }, scope);
          if (scope === null) await seedBudget(db, config.FLEET_BUDGET_USD);
          return reportBudget(scope, 0);
        });
      },
      async set(limitUsd, scope = null) {
        assertBudgetScope(scope);
        if (typeof limitUsd !== 'number') assertText('budget.set: limitUsd', limitUsd);
        return guard(async () => reportBudget(scope, await changeBudget({ db, queues }, limitUsd, scope)));
      },
    },
    async halt(reason) {
      if (typeof reason !== 'string' || reason.trim() === '') throw new UsageError('halt: expected a reason');
      return withHalt(async (halt) => {
        const stated = { reason: 'person', step: '', by: currentUser(), detail: reason.trim() };
        const halted = await halt.halt(stated);
        if (!halted) await halt.enforce(); // pauses again a queue that a person resumed in Bull Board
        return { halted, halt: await halt.read() };
      });
    },
    resume: () => withHalt((halt) => halt.resume(currentUser())),
    session: {
      read: () => guard(() => readSession(db)),
      async set(name) {
        if (typeof name !== 'string') throw new UsageError(`session: expected a name, got ${typeof name}`);
        return guard(() => parts.assertMayAdd().then(async () => (await startSession(db, name)).session));
      },
    },
    contexts: {
      async load(name, text) {
        assertText('contexts.load: name', name);
        assertText('contexts.load: text', text);
        return guard(() => parts.assertMayAdd().then(() => saveContext(db, name, text)));
      },
      list: () => guard(() => listContexts(db)),
      async get(name) {
        assertText('contexts.get: name', name);
        return guard(() => readContext(db, name));
      },
      async remove(name) {
        assertText('contexts.remove: name', name);
        return guard(() => parts.assertMayAdd().then(() => removeContext(db, name)));
      },
    },
  };
}

function assertBudgetScope(scope: BudgetScope): void {
  if (scope === null) return;
  assertOptions('budget', scope, ['client', 'batch', 'mission', 'rule', 'task']);
  for (const [name, value] of Object.entries(scope)) assertText(`budget: ${name}`, value);
  if (Object.keys(scope).length !== 1)
    throw new UsageError('budget: expected one of client, batch, mission, rule and task');
}
