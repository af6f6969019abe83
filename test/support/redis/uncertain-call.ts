import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { JobIdentity, TaskIdentity, TurnLedger } from '../../../src/ledger/types.ts';
import type { TestRedis } from './use-redis.ts';

export interface LostCall {
  task: TaskIdentity;
  ledger: TurnLedger;
  reservation: string;
}

/** A job that belongs to nothing, and has no lock. */
export function toTestIdentity(jobId: string): JobIdentity {
  return {
    jobId,
    token: '',
    attempt: 0,
    digest: 'd',
    findingId: `finding_${jobId}`,
    session: 'today',
    batch: null,
    missionId: null,
    budgetNanoUsd: null,
  };
}

/** Makes a call whose cost nobody knows. @param more fields of its job; `at`: when it was reserved */
export async function loseCall(
  redis: TestRedis,
  { worstNanoUsd = 700, at = new Date(), ...more }: Partial<TaskIdentity> & { worstNanoUsd?: number; at?: Date } = {},
): Promise<LostCall> {
  const jobId = more.jobId ?? 'job-1';
  const task: TaskIdentity = {
    ...toTestIdentity(jobId),
    model: 'claude-haiku-5-5',
    costVendor: 'haiku',
    ...more,
  };
  const ledger = createTurnLedger({ db: redis.db, workerId: 'w', now: () => at });
  const begun = await ledger.begin(task, { turn: 0, worstNanoUsd, first: true });
  if (begun.kind !== 'reserved') throw new Error(`expected a reservation, got ${begun.kind}`);
  await ledger.closeReservation(task, begun.reservation, 'uncertain');
  return { task, ledger, reservation: begun.reservation };
}
