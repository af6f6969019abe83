import type { QueueName } from '../../queues/registry.ts';
import { toOwnRules } from '../../queues/origin.ts';
import { isVendorAClass, toModelClass } from '../pricing/model-class.ts';
import type { Keys } from '../redis/keys.ts';
import type { SharedPart } from '../redis/scripting/script-group.ts';
import type { KeysOf } from '../redis/scripts.ts';
import { DEFAULT_BUDGET_NANO_USD } from './budget.ts';
import { toStampText } from './reservation.ts';
import type { TaskIdentity } from './types.ts';

/** The keys that all tasks of one session, client, shard, rule, batch, mission and model book to. */
export interface BookingGroup {
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
  queue: QueueName;
  /** See `createTurnLedger`. */
  apart?: string | undefined;
}): (task: TaskIdentity) => BookingGroup {
  const groups = new Map<string, BookingGroup>();
  let last: { task: TaskIdentity; group: BookingGroup } | null = null;
  return (task) => {
    if (last !== null && isAlike(last.task, task)) return last.group;
    const name = JSON.stringify([
      [task.session, task.client, task.shard, task.batch, task.missionId, task.model, task.route],
      toOwnRules(task.origin),
      hasOwnBudget(task),
      task.oldId !== undefined,
      task.assist !== undefined,
    ]);
    let group = groups.get(name);
    if (group === undefined) {
      if (groups.size >= MOST_KEPT) groups.clear();
      group = toGroup(task, options);
      groups.set(name, group);
    }
    last = { task, group };
    return group;
  };
}

function isAlike(a: TaskIdentity, b: TaskIdentity): boolean {
  return (
    a.session === b.session &&
    a.client === b.client &&
    a.shard === b.shard &&
    a.batch === b.batch &&
    a.missionId === b.missionId &&
    a.model === b.model &&
    a.route === b.route &&
    hasSameRules(a, b) &&
    hasOwnBudget(a) === hasOwnBudget(b) &&
    (a.oldId === undefined) === (b.oldId === undefined) && // the script has more keys
    (a.assist === undefined) === (b.assist === undefined)
  );
}

function hasSameRules(a: TaskIdentity, b: TaskIdentity): boolean {
  return a.origin === b.origin || toOwnRules(a.origin).join() === toOwnRules(b.origin).join();
}

/** Whether the script has one more key: what the task has spent of its own budget. */
function hasOwnBudget(task: TaskIdentity): boolean {
  return task.budgetNanoUsd !== null;
}

function toGroup(
  task: TaskIdentity,
  { keys, workerId, queue, apart }: { keys: Keys; workerId: string; queue: QueueName; apart?: string | undefined },
): BookingGroup {
  const { session, client, shard, batch, missionId, model, costVendor, assist } = task;
  const own = assist === undefined ? batch : null; // an assist task is none of its batch's tasks
  const row = toLedgerRow(task, workerId);
  const stamp = toStampText({ vendor: costVendor, row, session, model, ...(apart === undefined ? {} : { apart }) });
  const spends: string[] = [];
  if (client !== undefined) spends.push(keys.spend(`client:${client}`));
  if (batch !== null) spends.push(keys.spend(`batch:${batch}`));
  if (missionId !== null) spends.push(keys.spend(`mission:${missionId}`));
  for (const rule of toOwnRules(task.origin)) spends.push(keys.spend(`rule:${rule}`));
  return {
    row,
    begin: {
      keys: {
        halt: keys.haltReason,
        cancelled: keys.cancelled,
        cooldown: keys.cooldown(model),
        outage: keys.outage(model),
        reservations: keys.reservations,
        counters: keys.counters,
        metrics: keys.metrics,
        budget: keys.budget,
        daySpends: keys.daySpends,
        begun: keys.begun,
        spends,
      },
      fields: {
        worker: workerId,
        default_limit: String(DEFAULT_BUDGET_NANO_USD),
        stamp,
        queue,
        batch: batch ?? '',
        mission: missionId ?? '',
      },
    },
    finish: {
      keys: {
        reservations: keys.reservations,
        counters: keys.counters,
        ledgers: keys.ledgers,
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
        byShard: keys.indexByShard(shard ?? ''), // and this only for a memory shard's
        metrics: keys.metrics,
        ...(own === null
          ? {}
          : {
              byBatch: keys.indexByBatch(own),
              batchFailed: keys.batchFailed(own),
              batchFacts: keys.batch(own),
            }),
      },
      fields: {
        worker: workerId,
        row,
        vendor: costVendor,
        class: isVendorAClass(costVendor) ? '' : toModelClass(model),
        session,
        batch: own ?? '',
        shard: shard ?? '',
        mission: assist === undefined ? (missionId ?? '') : '',
        ...(assist === undefined ? {} : { assists: '1' }),
        findings_channel: keys.channelFindings,
        completions_channel: keys.channelCompletions,
      },
    },
  };
}

/**
 * Returns the first part of a ledger field: `session|batch|mission|model|worker|`, `client|shard|` where one of them is set,
 * `rule|` where a rule started the task, and `route|` where a route chose the model. A part is there, empty, before one that is set. A
 * measure follows. `report.ts` reads it.
 */
export function toLedgerRow(
  task: Pick<TaskIdentity, 'session' | 'batch' | 'missionId' | 'model' | 'client' | 'shard' | 'origin' | 'route'>,
  workerId: string,
): string {
  const parts = [task.session, task.batch ?? '', task.missionId ?? '', task.model, workerId];
  const rule = toOwnRules(task.origin).at(-1);
  const route = task.route ?? undefined;
  const hasRule = rule !== undefined || route !== undefined;
  if (task.client !== undefined || task.shard !== undefined || hasRule) parts.push(task.client ?? '', task.shard ?? '');
  if (hasRule) parts.push(rule ?? '');
  if (route !== undefined) parts.push(route);
  return `${parts.map(toRowPart).join('|')}|`;
}

/** A name as a part of a ledger row. */
export function toRowPart(name: string): string {
  return name.replace(/[%|]/g, encodeURIComponent);
}

/** Whose calls are no task's. */
export type Apart = 'coordinator' | 'archive';

/** Prefix of the ledger's measures of the librarians' calls. They are also in the measures without it. */
export const ARCHIVE = 'archive_';

/**
 * The fields by which `lib/booking.lua` counts a call apart: in the session's totals by `apart`, and in the ledger under `apart_row`.
 * The coordinator's calls need no row of their own there: its worker has one.
 * @param row first part of the call's ledger fields
 */
export function toApartFields(apart: string, row: string): { apart: string; apart_row?: string } {
  return apart === 'archive' ? { apart, apart_row: `${row}${ARCHIVE}` } : { apart };
}
