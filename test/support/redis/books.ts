import type { RequestRecord } from '../../../simulator/anthropic/request-log.ts';
import { toNanoUsd } from '../../../src/pricing/money.ts';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
import type { TestRedis } from './use-redis.ts';

/** What the fleet has booked today, in nano-dollars and calls. */
export interface Books {
  settled: number;
  reserved: number;
  uncertain: number;
  uncertainCalls: number;
  /** The public total, which other programs read. */
  costHaiku: number;
  /** Sums over the ledger's rows. */
  ledgerNano: number;
  ledgerCalls: number;
  openReservations: number;
}

export async function readBooks({ redis, keys }: TestRedis): Promise<Books> {
  const day = toUtcDay(new Date());
  const [spend, counters, ledger, cost, open] = await Promise.all([
    redis.hgetall(keys.spend(`day:${day}`)),
    redis.hgetall(keys.counters),
    redis.hgetall(keys.ledger(day)),
    redis.get(keys.cost('haiku')),
    redis.hlen(keys.reservations),
  ]);
  const sum = (measure: string): number =>
    Object.entries(ledger)
      .filter(([field]) => field.endsWith(`|${measure}`))
      .reduce((total, [, value]) => total + Number(value), 0);
  return {
    settled: Number(spend['settled'] ?? 0),
    reserved: Number(spend['reserved'] ?? 0),
    uncertain: Number(spend['uncertain'] ?? 0),
    uncertainCalls: Number(counters['uncertain_calls'] ?? 0),
    costHaiku: toNanoUsd(cost ?? '0'),
    ledgerNano: sum('nano'),
    ledgerCalls: sum('calls'),
    openReservations: open,
  };
}

/** What the provider billed for each turn of each job. */
export interface Bills {
  /** Requests for which the model ran. */
  calls: number;
  /** Turns of jobs that were served at least once. */
  turns: number;
  /** Sum of the last bill of every turn: of the stored reply, if earlier ones were lost with their process. */
  lastNano: number;
}

export function toBills(records: RequestRecord[]): Bills {
  const served = records.filter((record) => record.served);
  const last = new Map(served.map((record) => [`${record.user} ${record.turn}`, record.billNanoUsd]));
  return {
    calls: served.length,
    turns: last.size,
    lastNano: [...last.values()].reduce((sum, nano) => sum + nano, 0),
  };
}
