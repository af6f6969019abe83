import { isTooSmallBudget, LEAST_BUDGET_RULE } from '../../queues/owner.ts';
import { UsageError } from '../errors.ts';
import { toUtcDay } from '../findings/timestamp.ts';
import { formatSpent } from '../pricing/free-local.ts';
import { formatUsd, NANO_PER_USD, toNanoUsd } from '../pricing/money.ts';
import { FleetError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import { startOf } from '../text/start-of.ts';
import type { BudgetScope, BudgetState, OwnBudget } from './budget-types.ts';
import { toStoredCount } from '../redis/stored-record.ts';

/** The day's budget of a new swarm if `FLEET_BUDGET_USD` is not set: five dollars. */
export const DEFAULT_BUDGET_NANO_USD = 5_000_000_000;

/** A cent: a smaller budget, of one task, is told in six decimals. */
const SMALL_NANO_USD = 10_000_000;

/** The largest budget: nano-dollars are counted exactly up to it. */
const MOST_USD = Math.floor(Number.MAX_SAFE_INTEGER / NANO_PER_USD);

/** How many of the newest missions, and of the newest batches, `readOwnBudgets` reads. */
const NEWEST = 50;

/** Sets the day's budget of a new swarm. An existing budget is not changed. @returns the limit in force, nano-dollars */
export async function seedBudget({ redis, keys }: Db, usd: number | undefined): Promise<number> {
  const seed = usd === undefined ? DEFAULT_BUDGET_NANO_USD : toNanoUsd(usd);
  await redis.hsetnx(keys.budget, 'day', seed);
  return toStoredCount(await redis.hget(keys.budget, 'day'));
}

/** @returns nano-dollars. @throws UsageError for what is no amount of decimal dollars, or too little to be stored */
export function toLimit(usd: number | string): number {
  if (isTooSmallBudget(Number(usd))) throw new UsageError(`budget: ${LEAST_BUDGET_RULE}, or 0, got ${usd}`);
  try {
    const nano = toNanoUsd(usd);
    if (nano >= 0) return nano;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const rule = Number(usd) > MOST_USD ? `at most ${MOST_USD} dollars` : 'decimal dollars, 0 or more';
  throw new UsageError(`budget: expected ${rule}, got ${JSON.stringify(usd)}`);
}

/**
 * @param usd decimal dollars
 * @param spent nano-dollars that count as spent of it, in place of what is booked, in the same step
 * @throws UsageError for what is no amount
 */
export async function setBudget(
  { redis, keys }: Db,
  usd: number | string,
  scope: BudgetScope,
  { spent }: { spent?: number } = {},
): Promise<void> {
  const limit = toLimit(usd);
  if (scope === null) await redis.hset(keys.budget, 'day', limit);
  else await redis.hset(keys.spend(toScopeName(scope)), { limit, ...(spent === undefined ? {} : { settled: spent }) });
}

/** The limit alone, nano-dollars. Null: none is set. */
export async function readLimit({ redis, keys }: Db, scope: BudgetScope): Promise<number | null> {
  const text = await (scope === null
    ? redis.hget(keys.budget, 'day')
    : redis.hget(keys.spend(toScopeName(scope)), 'limit'));
  return text === null ? null : toStoredCount(text);
}

/**
 * @param scope null: of the day; `now` tells which
 * @throws FleetError if an amount is no number: nobody may decide by half a budget
 */
export async function readBudget(
  { redis, keys, clock }: Db,
  scope: BudgetScope,
  now: Date = clock.date(),
): Promise<BudgetState> {
  const name = scope === null ? `day:${toUtcDay(now)}` : toScopeName(scope);
  const spent = await redis.hgetall(keys.spend(name));
  const limit = scope === null ? await redis.hget(keys.budget, 'day') : (spent['limit'] ?? null);
  const freeLocal = toStoredCount(spent['free_local']);
  return {
    ...(freeLocal > 0 && { freeLocal }),
    limit:
      limit === null
        ? null
        : toAmount(scope === null ? keys.budget : keys.spend(name), scope === null ? 'day' : 'limit', limit),
    settled: toAmount(keys.spend(name), 'settled', spent['settled']),
    reserved: toAmount(keys.spend(name), 'reserved', spent['reserved']),
    uncertain: toAmount(keys.spend(name), 'uncertain', spent['uncertain']),
  };
}

/** @throws FleetError that names the key */
function toAmount(key: string, field: string, text = '0'): number {
  if (/^-?\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new FleetError(
    `${key}, field ${field}: expected a whole number, got "${startOf(text, 40)}"; set it aside with redis-cli HDEL '${key}' '${field}'`,
  );
}

/** Reads the budgets of clients and rules, and of the newest missions and batches that have one: clients and rules by name, the others the newest first. */
export async function readOwnBudgets(db: Db): Promise<OwnBudget[]> {
  const { redis, keys } = db;
  const [clients, rules, missions, batches] = await Promise.all([
    redis.hkeys(keys.clients),
    redis.zrange(keys.rules, '0', '-1'),
    redis.zrevrange(keys.missions, 0, NEWEST - 1),
    redis.zrevrange(keys.batches, 0, NEWEST - 1),
  ]);
  const all = await Promise.all([
    ...clients.toSorted().map(async (name): Promise<OwnBudget> => {
      return { scope: 'client', name, ...(await readBudget(db, { client: name })) };
    }),
    ...rules.toSorted().map(async (name): Promise<OwnBudget> => {
      return { scope: 'rule', name, ...(await readBudget(db, { rule: name })) };
    }),
    ...missions.map(async (name): Promise<OwnBudget> => {
      return { scope: 'mission', name, ...(await readBudget(db, { mission: name })) };
    }),
    ...batches.map(async (name): Promise<OwnBudget> => {
      return { scope: 'batch', name, ...(await readBudget(db, { batch: name })) };
    }),
  ]);
  return all.filter((budget) => budget.limit !== null);
}

function toScopeName(scope: NonNullable<BudgetScope>): string {
  return Object.entries(scope).flat().join(':');
}

/** A limit for people: `$5.0000`; one below a cent has six decimals. Null stays null. */
export function formatLimit(limit: number | null): string | null {
  return limit === null ? null : formatUsd(limit, limit < SMALL_NANO_USD ? 6 : 4);
}

/** One budget in one line: its limit, what is spent, reserved and uncertain, and what is left. */
export function describeBudget({ limit, settled, reserved, uncertain, freeLocal }: BudgetState): string {
  const used = settled + reserved + uncertain;
  const digits = limit !== null && limit < SMALL_NANO_USD ? 6 : 4;
  const toUsd = (nano: number): string => formatUsd(nano, digits);
  const parts = [
    `${formatSpent(settled, digits, freeLocal)} spent`,
    ...(reserved > 0 ? [`${toUsd(reserved)} reserved`] : []),
    ...(uncertain > 0 ? [`${toUsd(uncertain)} uncertain`] : []),
  ];
  if (limit === null) return `none set, ${parts.join(', ')}`;
  return `${toUsd(limit)}, ${parts.join(', ')}, ${toUsd(Math.max(0, limit - used))} left`;
}

/** The command line that raises a budget. @param scope `day`, `batch`, `task` …; `name`: empty for the day's */
export function toBudgetCommand(scope: string, name: string): string {
  return scope === 'day' ? 'fleet budget USD' : `fleet budget USD --${scope} ${name}`;
}

/**
 * The budget that a job waits for.
 * @param scope as a noted wait or a parked job's mark names it
 * @returns null where it has no limit, cannot be read, or is of a scope that this version does not know
 */
export async function readAwaitedBudget(db: Db, scope: string, name: string): Promise<BudgetState | null> {
  const wanted = toAwaitedScope(scope, name);
  if (wanted === undefined) return null;
  try {
    const state = await readBudget(db, wanted);
    return state.limit === null ? null : state;
  } catch (error) {
    if (error instanceof FleetError || (error instanceof Error && error.message.startsWith('WRONGTYPE'))) return null;
    throw error;
  }
}

function toAwaitedScope(scope: string, name: string): BudgetScope | undefined {
  switch (scope) {
    case 'day':
      return null;
    case 'client':
      return { client: name };
    case 'batch':
      return { batch: name };
    case 'mission':
      return { mission: name };
    case 'rule':
      return { rule: name };
    case 'task':
      return { task: name };
    default:
      return undefined;
  }
}
