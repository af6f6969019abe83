import { TaskFailedError } from '../../errors.ts';
import { findPrices, type CatalogEntry } from '../../pricing/catalog.ts';
import type { Usage } from '../../../queues/usage.ts';
import { allSonnetNanoUsd, cacheSavedNanoUsd, toSaving } from '../../pricing/cost.ts';
import { REPORT_DIMENSIONS, type CostReport, type CostRow, type ReportDimension } from './types.ts';
import { addUsage, NO_USAGE } from '../../pricing/tokens.ts';
import type { Db } from '../../redis/db.ts';

/** What one worker spent with one model on one day for one session, batch and mission. Null: none. */
export interface LedgerEntry {
  /** UTC day, `YYYY-MM-DD`. */
  day: string;
  session: string | null;
  batch: string | null;
  mission: string | null;
  model: string | null;
  worker: string | null;
  /** Booked cost, nano-dollars. */
  nano: number;
  /** List price of free calls, nano-dollars. */
  listNano: number;
  calls: number;
  /** Tasks that stored a finding. Calls of failed tasks are booked too, and count no task. */
  tasks: number;
  usage: Usage;
  /** The part of the cost that failed tasks had spent when they failed, and the count of these failures. */
  rework: { nano: number; tasks: number; usage: Usage };
}

/** Prefix of the measures of rework. `wasted-cost.ts` writes them. */
const REWORK = 'rework_';

/** Reads all bookings: one command for the list of days, one for each day. @param since first UTC day, `YYYY-MM-DD`; default: all */
export async function readLedger({ redis, keys }: Db, since = ''): Promise<LedgerEntry[]> {
  const days = (await redis.smembers(keys.ledgerDays)).filter((day) => day >= since).sort();
  const hashes = await Promise.all(days.map((day) => redis.hgetall(keys.ledger(day))));
  return days.flatMap((day, i) => parseLedger(day, hashes[i] ?? {}));
}

/**
 * Parses one day's hash. Its fields are `session|batch|mission|model|worker|measure`; `%` and `|` inside a part are
 * percent-encoded. Other measures and fields with more parts, which a later version may add, are ignored.
 */
export function parseLedger(day: string, hash: Record<string, string>): LedgerEntry[] {
  const entries = new Map<string, LedgerEntry>();
  for (const [field, value] of Object.entries(hash)) {
    const parts = field.split('|');
    const measure = parts.pop() ?? '';
    const amount = Number(value);
    if (parts.length !== 5 || !Number.isSafeInteger(amount)) continue;
    const row = parts.join('|');
    const entry = entries.get(row) ?? toEntry(day, parts);
    entries.set(row, entry);
    addMeasure(entry, measure, amount);
  }
  return [...entries.values()];
}

/** Sums entries by one dimension and compares the cost with the cost of the same tokens on `sonnet` (see `findPrices`). */
export function toCostReport(
  entries: readonly LedgerEntry[],
  options: { by: ReportDimension; sonnet: CatalogEntry; only?: Partial<Record<ReportDimension, string>> },
): CostReport {
  const { by, sonnet, only = {} } = options;
  const wanted = entries.filter((entry) =>
    REPORT_DIMENSIONS.every((dimension) => only[dimension] === undefined || entry[dimension] === only[dimension]),
  );
  const groups = new Map<string | null, LedgerEntry[]>();
  for (const entry of wanted) groups.set(entry[by], [...(groups.get(entry[by]) ?? []), entry]);
  const rows = [...groups].map(([name, group]) => toRow(name, group, sonnet));
  rows.sort((a, b) => (by === 'day' ? compareNames(a, b) : b.costNano - a.costNano || compareNames(a, b)));
  return { by, sonnet: sonnet.id, rows, total: toRow(null, wanted, sonnet) };
}

function toEntry(day: string, parts: string[]): LedgerEntry {
  const [session, batch, mission, model, worker] = parts.map((part) => (part === '' ? null : decodePart(part)));
  return {
    day,
    session: session ?? null,
    batch: batch ?? null,
    mission: mission ?? null,
    model: model ?? null,
    worker: worker ?? null,
    nano: 0,
    listNano: 0,
    calls: 0,
    tasks: 0,
    usage: { ...NO_USAGE },
    rework: { nano: 0, tasks: 0, usage: { ...NO_USAGE } },
  };
}

/** Decodes `%25` and `%7C` only. Anything else is kept as it is, so that no name can make a report fail. */
function decodePart(part: string): string {
  return part.replaceAll(/%(25|7C)/gi, (_match, code: string) => (code === '25' ? '%' : '|'));
}

function addMeasure(entry: LedgerEntry, measure: string, amount: number): void {
  if (measure.startsWith(REWORK)) return addSpent(entry.rework, measure.slice(REWORK.length), amount);
  if (measure === 'calls') entry.calls += amount;
  else if (measure === 'list_nano') entry.listNano += amount;
  else addSpent(entry, measure, amount);
}

function addSpent(spent: { nano: number; tasks: number; usage: Usage }, measure: string, amount: number): void {
  switch (measure) {
    case 'nano':
    case 'tasks':
      spent[measure] += amount;
      break;
    case 'input':
    case 'cache_write':
    case 'cache_read':
    case 'output':
      spent.usage[measure] += amount;
      break;
    default:
  }
}

function toRow(name: string | null, entries: readonly LedgerEntry[], sonnet: CatalogEntry): CostRow {
  const sum = (measure: 'nano' | 'listNano' | 'calls' | 'tasks'): number =>
    entries.reduce((total, entry) => total + entry[measure], 0);
  const usage = entries.reduce((total, entry) => addUsage(total, entry.usage), { ...NO_USAGE });
  const rework = entries.reduce((total, entry) => addUsage(total, entry.rework.usage), { ...NO_USAGE });
  const costNano = sum('nano');
  return {
    name,
    calls: sum('calls'),
    tasks: sum('tasks'),
    usage,
    costNano,
    freeListNano: sum('listNano'),
    cacheSavedNano: entries.reduce((total, entry) => total + toCacheSavedNano(entry), 0),
    allSonnetNano: allSonnetNanoUsd(sonnet, usage),
    reworkNano: entries.reduce((total, entry) => total + entry.rework.nano, 0),
    reworkTasks: entries.reduce((total, entry) => total + entry.rework.tasks, 0),
    ...toSaving(sonnet, costNano, usage, rework),
  };
}

/** Nothing for a model without a price: a later version, or another program, may have written the row. */
function toCacheSavedNano({ model, day, usage }: LedgerEntry): number {
  if (model === null || usage.cache_read + usage.cache_write === 0) return 0;
  try {
    return cacheSavedNanoUsd(findPrices(model, new Date(`${day}T12:00:00Z`)), usage);
  } catch (error) {
    if (error instanceof TaskFailedError) return 0;
    throw error;
  }
}

function compareNames(a: CostRow, b: CostRow): number {
  return (a.name ?? '').localeCompare(b.name ?? '');
}
