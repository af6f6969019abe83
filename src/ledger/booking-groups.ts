import { toUtcDay } from '../findings/timestamp.ts';
import type { Keys } from '../redis/keys.ts';
import type { SharedPart } from '../redis/script-group.ts';
import type { KeysOf } from '../redis/scripts.ts';
import { DEFAULT_BUDGET_NANO_USD } from './budget.ts';
import { toStampText } from './reservation.ts';
import type { TaskIdentity } from './types.ts';

/** The keys that all tasks of one session, batch, mission and model book to on one day. */
export interface BookingGroup {
  day: { spend: string; ledger: string };
  row: string;
  begin: SharedPart<KeysOf<'begin-turn'>>;
  finish: SharedPart<KeysOf<'finish-task'>>;
}

/** Most groups that are kept. A swarm uses only a few at a time. */
const MOST_KEPT = 500;

/** Returns a function that creates each group once. Script calls with the same group object are sent together (`script-group.ts`). */
export function createBookingGroups(options: {
  keys: Keys;
  workerId: string;
  /** See `createTurnLedger`. */
  apart?: string | undefined;
}): (task: TaskIdentity, bookedAt: Date) => BookingGroup {
  const groups = new Map<string, BookingGroup>();
  let last: { task: TaskIdentity; day: number; group: BookingGroup } | null = null;
  return (task, bookedAt) => {
    const day = Math.floor(bookedAt.getTime() / 86_400_000);
    if (last !== null && last.day === day && isAlike(last.task, task)) return last.group;
    const name = JSON.stringify([day, task.session, task.batch, task.missionId, task.model, hasOwnBudget(task)]);
    let group = groups.get(name);
    if (group === undefined) {
      if (groups.size >= MOST_KEPT) groups.clear();
      group = toGroup(task, toUtcDay(bookedAt), options);
      groups.set(name, group);
    }
    last = { task, day, group };
    return group;
  };
}

function isAlike(a: TaskIdentity, b: TaskIdentity): boolean {
  return (
    a.session === b.session &&
    a.batch === b.batch &&
    a.missionId === b.missionId &&
    a.model === b.model &&
    hasOwnBudget(a) === hasOwnBudget(b)
  );
}

/** Whether the script has one more key: what the task has spent of its own budget. */
function hasOwnBudget(task: TaskIdentity): boolean {
  return task.budgetNanoUsd !== null;
}

function toGroup(
  task: TaskIdentity,
  today: string,
  { keys, workerId, apart }: { keys: Keys; workerId: string; apart?: string | undefined },
): BookingGroup {
  const { session, batch, missionId, model, costVendor } = task;
  const day = { spend: keys.spend(`day:${today}`), ledger: keys.ledger(today) };
  const row = toLedgerRow(task, workerId);
  const stamp = toStampText({ vendor: costVendor, row, session, model, ...(apart === undefined ? {} : { apart }) });
  const spends: string[] = [];
  if (batch !== null) spends.push(keys.spend(`batch:${batch}`));
  if (missionId !== null) spends.push(keys.spend(`mission:${missionId}`));
  return {
    day,
    row,
    begin: {
      keys: {
        halt: keys.haltReason,
        cancelled: keys.cancelled,
        cooldown: keys.cooldown(model),
        outage: keys.outage(model),
        reservations: keys.reservations,
        counters: keys.counters,
        budget: keys.budget,
        daySpend: day.spend,
        spends,
      },
      fields: { worker: workerId, default_limit: String(DEFAULT_BUDGET_NANO_USD), stamp },
    },
    finish: {
      keys: {
        reservations: keys.reservations,
        counters: keys.counters,
        ledger: day.ledger,
        totals: keys.sessionTotals(session),
        cost: keys.cost(costVendor),
        outage: keys.outage(model),
        outageRow: keys.outageRow(model),
        cooldown: keys.cooldown(model),
        ledgerDays: keys.ledgerDays,
        index: keys.index,
        bySession: keys.indexBySession(session),
        contextActive: keys.contextActive,
        session: keys.session,
        events: keys.events,
        mission: keys.mission(missionId ?? ''), // the script uses it only for a mission's task
        ...(batch === null
          ? {}
          : {
              byBatch: keys.indexByBatch(batch),
              batchFailed: keys.batchFailed(batch),
              batchFacts: keys.batch(batch),
            }),
      },
      fields: {
        worker: workerId,
        row,
        vendor: costVendor,
        session,
        batch: batch ?? '',
        mission: missionId ?? '',
        findings_channel: keys.channelFindings,
        completions_channel: keys.channelCompletions,
      },
    },
  };
}

/** Returns the first part of a ledger field: `session|batch|mission|model|worker|`. A measure follows. `report.ts` reads it. */
export function toLedgerRow(
  task: Pick<TaskIdentity, 'session' | 'batch' | 'missionId' | 'model'>,
  workerId: string,
): string {
  const parts = [task.session, task.batch ?? '', task.missionId ?? '', task.model, workerId];
  return `${parts.map((part) => part.replace(/[%|]/g, encodeURIComponent)).join('|')}|`;
}
