import { readLedger, type LedgerEntry } from '../../../src/ledger/report/report.ts';
import { parseReservation, type Reservation } from '../../../src/ledger/reservation.ts';
import { toNanoUsd } from '../../../src/pricing/money.ts';
import type { Db } from '../../../src/redis/db.ts';
import { listVendors } from '../../../src/status/read/spend.ts';
import { differ, sumOf } from './differ.ts';

/** What providers served and bill. */
export interface Bill {
  calls: number;
  nanoUsd: number;
}

export async function compareMoney(db: Db, options: { bill?: Bill | undefined; isIdle: boolean }): Promise<string[]> {
  const books = await readMoney(db);
  return [
    ...compareTotals(books),
    ...compareScopes(books),
    ...compareReservations(books, options.isIdle),
    ...(options.bill === undefined ? [] : compareBill(books, options.bill)),
  ];
}

type Money = Awaited<ReturnType<typeof readMoney>>;

async function readMoney({ redis, keys }: Db) {
  const db = { redis, keys } as Db;
  const hashes = async (names: string[]) =>
    new Map(await Promise.all(names.map(async (n) => [n, await redis.hgetall(n)] as const)));
  const prefix = keys.spend('');
  const [spends, totals, open, uncertain, booked, counted, session] = await Promise.all([
    redis.keys(`${prefix}*`).then(hashes),
    redis.keys(`${keys.sessionTotals('')}*`).then(hashes),
    redis.hgetall(keys.reservations),
    redis.hgetall(keys.uncertain),
    redis.hgetall(keys.booked),
    redis.hget(keys.counters, 'uncertain_calls'),
    redis.hget(keys.session, 'name'),
  ]);
  const vendors = listVendors(booked, Object.assign({}, ...totals.values()) as Record<string, string>);
  const costs = await Promise.all(vendors.map((vendor) => redis.get(keys.cost(vendor))));
  return {
    prefix,
    session,
    ledger: await readLedger(db),
    scopes: new Map([...spends].map(([key, amounts]) => [key.slice(prefix.length), amounts])),
    totals: [...totals.values()],
    open: toReservations(open),
    uncertain: toReservations(uncertain),
    uncertainCount: Number(counted ?? 0),
    vendors,
    booked: vendors.map((vendor) => Number(booked[vendor] ?? 0)),
    costs: costs.map((cost) => toNanoUsd(cost ?? '0')),
  };
}

function toReservations(hash: Record<string, string>): Reservation[] {
  return Object.entries(hash).map(([id, packed]) => parseReservation(id, packed));
}

function compareTotals({ session, ledger, scopes, totals, vendors, booked, costs }: Money): string[] {
  const ledgerNano = sumOf(ledger.map((entry) => entry.nano));
  const daysNano = sumOf(
    [...scopes].filter(([name]) => name.startsWith('day:')).map(([, { settled }]) => Number(settled ?? 0)),
  );
  const totalsNano = sumOf(totals.flatMap((fields) => vendors.map((vendor) => Number(fields[`${vendor}:nano`] ?? 0))));
  const totalsTasks = sumOf(
    totals.flatMap((fields) => vendors.map((vendor) => Number(fields[`${vendor}:tasks`] ?? 0))),
  );
  const reworkNano = sumOf(totals.map((fields) => Number(fields['rework:nano'] ?? 0)));
  return [
    ...differ('cost of all days', ['spend', daysNano], ['ledger', ledgerNano]),
    ...differ('cost of all sessions', ['session totals', totalsNano], ['ledger', ledgerNano]),
    ...differ('tasks', ['session totals', totalsTasks], ['ledger', sumOf(ledger.map((entry) => entry.tasks))]),
    ...differ('rework', ['session totals', reworkNano], ['ledger', sumOf(ledger.map((entry) => entry.rework.nano))]),
    ...vendors.flatMap((vendor, i) => differ(`cost:${vendor}`, ['public', costs[i]], ['booked', booked[i]])),
    ...compareInForce(ledger, session, sumOf(costs)),
  ];
}

/**
 * `cost:*` holds what was booked since the session in force began, whatever its session: what a call of an ended session costs may be
 * booked late. So the ledger gives bounds, which are one number where it knows one session alone.
 */
function compareInForce(ledger: LedgerEntry[], session: string | null, costNano: number): string[] {
  const least = sumOf(ledger.filter((entry) => entry.session === session).map((entry) => entry.nano));
  const most = sumOf(ledger.map((entry) => entry.nano));
  if (costNano >= least && costNano <= most) return [];
  return [`cost of the session in force, ${session}: cost:* ${costNano}, ledger ${least} to ${most}`];
}

/** Of clients, batches and missions. A task's own scope ends with the task, and the ledger has no row of it. */
function compareScopes({ ledger, scopes }: Money): string[] {
  const byDimension = (['client', 'batch', 'mission'] as const).flatMap((dimension) => {
    const names = new Set(ledger.flatMap((entry) => entry[dimension] ?? []));
    return [...names].map((name) => ({ dimension, name }));
  });
  return byDimension.flatMap(({ dimension, name }) => {
    const rows = ledger.filter((entry: LedgerEntry) => entry[dimension] === name);
    const settled = Number(scopes.get(`${dimension}:${name}`)?.['settled'] ?? 0);
    return differ(`${dimension} ${name}`, ['spend', settled], ['ledger', sumOf(rows.map((row) => row.nano))]);
  });
}

function compareReservations({ prefix, scopes, open, uncertain, uncertainCount }: Money, isIdle: boolean): string[] {
  const worstOf = (name: string, calls: Reservation[]) =>
    sumOf(calls.filter((call) => call.scopes.includes(`${prefix}${name}`)).map((call) => call.nanoUsd));
  return [
    ...[...scopes].flatMap(([name, amounts]) => [
      ...differ(
        `reserved of ${name}`,
        ['spend', Number(amounts['reserved'] ?? 0)],
        ['reservations', worstOf(name, open)],
      ),
      ...differ(
        `uncertain of ${name}`,
        ['spend', Number(amounts['uncertain'] ?? 0)],
        ['calls', worstOf(name, uncertain)],
      ),
      ...(Number(amounts['settled'] ?? 0) < 0 ? [`settled of ${name}: below 0`] : []),
    ]),
    ...differ('uncertain calls', ['counter', uncertainCount], ['stored', uncertain.length]),
    ...(isIdle && open.length > 0 ? [`open reservations: ${open.map((call) => call.id).join(', ')}`] : []),
  ];
}

/** A call of uncertain cost may have been served or not, and a broken one is booked in part. */
function compareBill({ ledger, uncertain }: Money, bill: Bill): string[] {
  const nano = sumOf(ledger.map((entry) => entry.nano));
  const calls = sumOf(ledger.map((entry) => entry.calls));
  const mostNano = nano + sumOf(uncertain.map((call) => call.nanoUsd));
  const mostCalls = calls + uncertain.filter((call) => call.reported === null).length;
  const isRight = (billed: number, least: number, most: number) => billed >= least && billed <= most;
  return [
    ...(isRight(bill.nanoUsd, nano, mostNano)
      ? []
      : [`cost: billed ${bill.nanoUsd}, booked ${nano}, with uncertain ${mostNano}`]),
    ...(isRight(bill.calls, calls, mostCalls)
      ? []
      : [`calls: billed ${bill.calls}, booked ${calls}, with uncertain ${mostCalls}`]),
  ];
}
