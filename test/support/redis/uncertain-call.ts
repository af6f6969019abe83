import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { JobIdentity, TaskIdentity, TurnLedger } from '../../../src/ledger/types.ts';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
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

/** Makes a call of unknown cost. @param more fields of its job; `at`: when it was reserved, default now */
export async function loseCall(
  redis: TestRedis,
  { worstNanoUsd = 700, at, ...more }: Partial<TaskIdentity> & { worstNanoUsd?: number; at?: Date } = {},
): Promise<LostCall> {
  const jobId = more.jobId ?? 'job-1';
  const task: TaskIdentity = {
    ...toTestIdentity(jobId),
    model: 'claude-haiku-5-5',
    costVendor: 'haiku',
    ...more,
  };
  const ledger = createTurnLedger({ db: redis.db, workerId: 'w' });
  const begun = await ledger.begin(task, { turn: 0, worstNanoUsd, first: true });
  if (begun.kind !== 'reserved') throw new Error(`expected a reservation, got ${begun.kind}`);
  await ledger.closeReservation(task, begun.reservation, 'uncertain');
  if (at !== undefined) await moveTo(redis, begun.reservation, worstNanoUsd, at);
  return { task, ledger, reservation: begun.reservation };
}

/** As if the call had been reserved at another time: scripts go by Redis' clock. */
async function moveTo({ redis, keys }: TestRedis, id: string, worstNanoUsd: number, at: Date): Promise<void> {
  const packed = (await redis.hget(keys.uncertain, id)) ?? '';
  const day = /spend:(day:[\d-]+)/.exec(packed)?.[1] ?? '';
  const moved = packed.replace(day, `day:${toUtcDay(at)}`).replace(/\|\d+\|/, `|${at.getTime()}|`);
  await redis.hset(keys.uncertain, id, moved);
  await redis.hincrby(keys.spend(day), 'uncertain', -worstNanoUsd);
  await redis.hincrby(keys.spend(`day:${toUtcDay(at)}`), 'uncertain', worstNanoUsd);
}
