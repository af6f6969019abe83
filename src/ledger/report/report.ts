import { FleetError, TaskFailedError } from '../../errors.ts';
import { NO_MODEL } from '../../findings/finding.ts';
import { startOf } from '../../text/start-of.ts';
import type { Catalog, CatalogEntry } from '../../pricing/catalog.ts';
import type { Usage } from '../../../queues/usage.ts';
import { allSonnetNanoUsd, cacheSavedNanoUsd, toSaving } from '../../pricing/cost.ts';
import { REPORT_DIMENSIONS, type CostReport, type CostRow, type ReportDimension } from './types.ts';
import { addUnmetered, noUnmetered, sumUnmetered, type Unmetered } from './unmetered.ts';
import { toModelName } from '../../pricing/model-class.ts';
import { createVendorOf } from './vendor-of.ts';
import { addUsage, NO_USAGE, withoutUsage } from '../../pricing/tokens.ts';
import { addArchiveUse, noArchiveUse, sumArchiveUse, withOldArchiveUse, type ArchiveUse } from './archive-use.ts';
import type { Db } from '../../redis/db.ts';
import { scanHash } from '../scan-hash.ts';

/** What one worker spent with one model on one day for one session, client, shard, rule, batch and mission. Null: none. */
export interface LedgerEntry {
  /** UTC day, `YYYY-MM-DD`. */
  day: string;
  session: string | null;
  batch: string | null;
  mission: string | null;
  model: string | null;
  worker: string | null;
  client: string | null;
  shard: string | null;
  /** The rule that started the task. */
  rule: string | null;
  /** What chose the model, as `models.json` describes the route; null: the default model, or the task's own. */
  route: string | null;
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
  unmetered: Unmetered;
  /** The part of all this that librarians used. No task's: no saving counts it. */
  archive: ArchiveUse;
}

/** How many parts a row has, without its measure. */
const ROW_LENGTHS = new Set([5, 7, 8, 9]);

/** Prefix of the measures of rework. `wasted-cost.ts` writes them. */
const REWORK = 'rework_';

/**
 * Reads all bookings: one command for the list of days, one for each day. An amount that is no number is left out.
 * @param since first UTC day, `YYYY-MM-DD`; default: all
 */
export async function readLedger(db: Db, since = ''): Promise<LedgerEntry[]> {
  return (await readDays(db, since)).flatMap(({ day, hash }) => parseLedger(day, hash));
}

/** As `readLedger`, for reports and decisions about money. @throws FleetError that names an amount that is no number */
export async function readWholeLedger(db: Db, since = ''): Promise<LedgerEntry[]> {
  const days = await readDays(db, since);
  for (const { day, hash } of days) assertWhole(db.keys.ledger(day), hash);
  return days.flatMap(({ day, hash }) => parseLedger(day, hash));
}

/**
 * As `readLedger`, of one mission. Only its fields come over the line: the ledger of a day has some for each mission of that day.
 * @param id a mission's id, which has no character that its part of a field would encode
 */
export async function readMissionLedger(db: Db, { id, since }: { id: string; since?: string }): Promise<LedgerEntry[]> {
  const { redis, keys } = db;
  const entries: LedgerEntry[] = [];
  for (const day of await readDayNames(db, since)) {
    const hash: Record<string, string> = {};
    const match = `*|*|${id.replaceAll(/[*?[\]\\^]/g, String.raw`\$&`)}|*`;
    for await (const [field, value] of scanHash(redis, keys.ledger(day), match)) hash[field] = value;
    entries.push(...parseLedger(day, hash).filter(({ mission }) => mission === id));
  }
  return entries;
}

async function readDayNames({ redis, keys }: Db, since = ''): Promise<string[]> {
  return (await redis.smembers(keys.ledgerDays)).filter((day) => day >= since).sort();
}

async function readDays(db: Db, since: string): Promise<{ day: string; hash: Record<string, string> }[]> {
  const { redis, keys } = db;
  const days = await readDayNames(db, since);
  const hashes = await Promise.all(days.map((day) => redis.hgetall(keys.ledger(day))));
  return days.map((day, i) => ({ day, hash: hashes[i] ?? {} }));
}

function assertWhole(key: string, hash: Record<string, string>): void {
  for (const [field, text] of Object.entries(hash)) {
    if (Number.isSafeInteger(Number(text)) && text !== '') continue;
    throw new FleetError(
      `${key}, field ${startOf(field, 100)}: expected a whole number, got "${startOf(text, 40)}"; set it aside with redis-cli HDEL '${key}' '${startOf(field, 200)}'`,
    );
  }
}

/**
 * Parses one day's hash. Its fields are `session|batch|mission|model|worker|measure`, or with `client|shard`, `client|shard|rule` or
 * `client|shard|rule|route` before the measure; `%` and `|` inside a part are percent-encoded. Other measures and fields with more parts, which a later version may add, are ignored.
 */
export function parseLedger(day: string, hash: Record<string, string>): LedgerEntry[] {
  const entries = new Map<string, LedgerEntry>();
  for (const [field, value] of Object.entries(hash)) {
    const parts = field.split('|');
    const measure = parts.pop() ?? '';
    const amount = Number(value);
    if (!ROW_LENGTHS.has(parts.length) || !Number.isSafeInteger(amount)) continue;
    const row = parts.join('|');
    const entry = entries.get(row) ?? toEntry(day, parts);
    entries.set(row, entry);
    addMeasure(entry, measure, amount);
  }
  return [...entries.values()].map(withOldArchiveUse);
}

/** Sums entries by one dimension and compares the cost with the cost of the same tokens on `sonnet` (see `Catalog.findPrices`). */
export function toCostReport(
  entries: readonly LedgerEntry[],
  options: {
    by: ReportDimension;
    sonnet: CatalogEntry;
    catalog: Catalog;
    only?: Partial<Record<ReportDimension, string>>;
  },
): CostReport {
  const { by, sonnet, catalog, only = {} } = options;
  const vendorOf = createVendorOf(catalog);
  const valueOf = (entry: LedgerEntry, dimension: ReportDimension): string | null =>
    dimension === 'vendor' ? vendorOf(entry) : dimension === 'model' ? toModel(entry) : entry[dimension];
  const wanted = entries.filter((entry) =>
    REPORT_DIMENSIONS.every(
      (dimension) => only[dimension] === undefined || valueOf(entry, dimension) === only[dimension],
    ),
  );
  const groups = new Map<string | null, LedgerEntry[]>();
  for (const entry of wanted) {
    const name = valueOf(entry, by);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [entry]);
    else group.push(entry);
  }
  const rows = [...groups].map(([name, group]) => toRow(name, group, { sonnet, catalog }));
  rows.sort((a, b) => (by === 'day' ? compareNames(a, b) : b.costNano - a.costNano || compareNames(a, b)));
  return {
    by,
    sonnet: sonnet.id,
    comparedWith: toModelName(sonnet),
    rows,
    total: toRow(null, wanted, { sonnet, catalog }),
  };
}

/** Null: a task that needs no model. */
function toModel({ model }: LedgerEntry): string | null {
  return model === NO_MODEL.id ? null : model;
}

function toEntry(day: string, parts: string[]): LedgerEntry {
  const names = parts.map((part) => (part === '' ? null : decodePart(part)));
  const [session, batch, mission, model, worker, client, shard, rule, route] = names;
  return {
    day,
    session: session ?? null,
    batch: batch ?? null,
    mission: mission ?? null,
    model: model ?? null,
    worker: worker ?? null,
    client: client ?? null,
    shard: shard ?? null,
    rule: rule ?? null,
    route: route ?? null,
    nano: 0,
    listNano: 0,
    calls: 0,
    tasks: 0,
    usage: { ...NO_USAGE },
    rework: { nano: 0, tasks: 0, usage: { ...NO_USAGE } },
    unmetered: noUnmetered(),
    archive: noArchiveUse(),
  };
}

/** Decodes `%25` and `%7C` only. Anything else is kept as it is, so that no name can make a report fail. */
export function decodePart(part: string): string {
  return part.replaceAll(/%(25|7C)/gi, (_match, code: string) => (code === '25' ? '%' : '|'));
}

function addMeasure(entry: LedgerEntry, measure: string, amount: number): void {
  if (addUnmetered(entry.unmetered, measure, amount) || addArchiveUse(entry.archive, measure, amount)) return;
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

function toRow(
  name: string | null,
  entries: readonly LedgerEntry[],
  { sonnet, catalog }: { sonnet: CatalogEntry; catalog: Catalog },
): CostRow {
  const sum = (measure: 'nano' | 'listNano' | 'calls' | 'tasks'): number =>
    entries.reduce((total, entry) => total + entry[measure], 0);
  const usage = entries.reduce((total, entry) => addUsage(total, entry.usage), { ...NO_USAGE });
  const rework = entries.reduce((total, entry) => addUsage(total, entry.rework.usage), { ...NO_USAGE });
  const costNano = sum('nano');
  const archive = sumArchiveUse(entries.map((entry) => entry.archive));
  const compared = withoutUsage(usage, archive.usage);
  return {
    name,
    calls: sum('calls'),
    tasks: sum('tasks'),
    usage,
    costNano,
    freeListNano: sum('listNano'),
    freeLocalCalls: entries.reduce((total, entry) => total + toFreeLocalCalls(entry, catalog), 0),
    cacheSavedNano: entries.reduce((total, entry) => total + toCacheSavedNano(entry, catalog), 0),
    allSonnetNano: allSonnetNanoUsd(sonnet, compared),
    archive,
    reworkNano: entries.reduce((total, entry) => total + entry.rework.nano, 0),
    reworkTasks: entries.reduce((total, entry) => total + entry.rework.tasks, 0),
    ...toSaving(sonnet, costNano - archive.costNano, compared, rework),
    unmetered: sumUnmetered(entries.map(({ unmetered }) => unmetered)),
  };
}

function toCacheSavedNano(entry: LedgerEntry, catalog: Catalog): number {
  if (entry.usage.cache_read + entry.usage.cache_write === 0) return 0;
  const prices = findPrices(entry, catalog);
  return prices === null ? 0 : cacheSavedNanoUsd(prices, entry.usage);
}

function toFreeLocalCalls(entry: LedgerEntry, catalog: Catalog): number {
  if (entry.nano > 0 || entry.calls === 0) return 0;
  return findPrices(entry, catalog)?.isLocal === true ? entry.calls : 0;
}

/** Null: a model without a price; a later version, or another program, may have written the row. */
function findPrices({ model, day }: LedgerEntry, catalog: Catalog): CatalogEntry | null {
  if (model === null) return null;
  try {
    return catalog.findPrices(model, new Date(`${day}T12:00:00Z`));
  } catch (error) {
    if (error instanceof TaskFailedError) return null;
    throw error;
  }
}

function compareNames(a: CostRow, b: CostRow): number {
  return (a.name ?? '').localeCompare(b.name ?? '');
}
