import type { Simulator } from '../../../simulator/simulator.ts';
import { readLedger } from '../../../src/ledger/report/report.ts';
import type { Db } from '../../../src/redis/db.ts';
import { listDisagreements } from '../../support/books/books-agree.ts';
import { sumOf } from '../../support/books/differ.ts';
import { atMost, exactly, shown, type Row } from './result.ts';

const NANO_PER_CENT = 10_000_000;
/** A run may pass midnight. */
const MOST_DAYS = 2;

/** Compares what the providers served with what the fleet booked, and its books with each other. */
export async function checkMoney(db: Db, simulator: Simulator, say: (line: string) => void): Promise<Row[]> {
  const claude = simulator.anthropic.served();
  const gemini = simulator.gemini.served(); // of the free tier: it costs nothing
  const ledger = await readLedger(db);
  const calls = sumOf(ledger.map((entry) => entry.calls));
  const nano = sumOf(ledger.map((entry) => entry.nano));
  const days = await db.redis.smembers(db.keys.ledgerDays);
  const uncertainCalls = await db.redis.hlen(db.keys.uncertain);
  const spends = await Promise.all(days.map((day) => db.redis.hgetall(db.keys.spend(`day:${day}`))));
  const disagreements = await listDisagreements(db, {
    bill: { calls: claude.calls + gemini.calls, nanoUsd: claude.billNanoUsd },
  });
  for (const line of disagreements.slice(0, 20)) say(`disagree: ${line.slice(0, 300)}`);
  const toCents = (amount: number): number => amount / NANO_PER_CENT;
  return [
    shown('calls served', claude.calls + gemini.calls),
    shown('calls booked', calls),
    shown('served and not booked: lost with their process', claude.calls + gemini.calls - calls),
    shown('calls booked as uncertain', uncertainCalls),
    shown('served', toCents(claude.billNanoUsd), ' ¢'),
    shown('booked', toCents(nano), ' ¢'),
    shown('booked as uncertain', toCents(sumOf(spends.map((spend) => Number(spend['uncertain'] ?? 0)))), ' ¢'),
    exactly('disagreements between bill, spend, ledger and totals', disagreements.length, 0),
    atMost('days in the ledger', days.length, MOST_DAYS),
  ];
}
