import { randomBytes } from 'node:crypto';
import type { Usage } from '../../queues/usage.ts';
import { PaidCalls } from '../ledger/calls/paid-calls.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { Db } from '../redis/db.ts';

/** A doctor that waits for a provider for longer gives up. */
const TIMEOUT_MS = 180_000;

/**
 * The paid calls of one check, reserved and booked as any call, within the day's budget. What they stored is deleted when the
 * check ends.
 */
export async function withDoctorCalls<Reply extends { usage: Usage; geo?: string }, Result>(
  { db, session }: { db: Db; session: string },
  check: (calls: PaidCalls<Reply>, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const jobId = `doctor-${randomBytes(8).toString('hex')}`;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const calls = new PaidCalls<Reply>({
    ledger: createTurnLedger({ db, workerId: 'doctor' }),
    identity: {
      jobId,
      token: '', // no queue, no lock
      attempt: 0,
      digest: 'doctor',
      findingId: jobId,
      session,
      batch: null,
      missionId: null,
      budgetNanoUsd: null,
    },
    signal,
    isDraining: () => false,
  });
  try {
    return await check(calls, signal);
  } finally {
    await db.redis.del(db.keys.turns(jobId));
  }
}
