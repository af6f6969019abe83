import { LeaseLostError, NotFoundError } from '../errors.ts';
import { describeMissing } from '../jobs/describe-missing.ts';
import { isOfLease, parseClaim, type ClaimRecord } from '../jobs/leased/claim-record.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord } from '../redis/stored-record.ts';

/** Where a task is, for one lease. `mine`: the lease holds it. */
export type Standing =
  | { kind: 'mine'; data: string; record: ClaimRecord; expiresAt: number }
  /** `wasMine`: it ended by this lease. */
  | { kind: 'completed'; data: string; findingId: string; record: ClaimRecord; wasMine: boolean }
  | { kind: 'failed'; reason: string }
  | { kind: 'held'; by: string; expiresAt: number | null }
  | { kind: 'open'; wasMine: boolean }
  | { kind: 'unknown' };

/** Reads where a task is. @param lease empty: of nobody */
export async function readStanding({ redis, keys, clock }: Db, taskId: string, lease: string): Promise<Standing> {
  const job = keys.queueKey('tasks', taskId);
  const chain = redis
    .pipeline()
    .hmget(job, 'data', 'finishedOn', 'returnvalue', 'failedReason', 'outside', 'pb')
    .get(keys.jobLock('tasks', taskId))
    .zscore(keys.outsideLeases, taskId);
  const [fields, holder, ends] = ((await chain.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  }) as [(string | null)[], string | null, string | null];
  const [data, finishedOn, returnValue, failedReason, claimed = null, worker] = fields;
  if (data === null || data === undefined) return { kind: 'unknown' };
  const record = parseClaim(claimed);
  const wasMine = isOfLease(record, lease);
  if (finishedOn !== null) {
    const findingId = Reflect.get(parseRecord(returnValue) ?? {}, 'findingId') as unknown;
    return typeof findingId === 'string'
      ? { kind: 'completed', data, findingId, record, wasMine }
      : { kind: 'failed', reason: failedReason ?? 'unknown' };
  }
  if (holder === null) return { kind: 'open', wasMine };
  const expiresAt = ends === null ? null : Number(ends);
  if (holder === lease && expiresAt !== null && expiresAt > clock.now())
    return { kind: 'mine', data, record, expiresAt };
  return { kind: 'held', by: worker ?? 'another worker', expiresAt };
}

/** The error for a lease that does not hold its task. */
export function toLeaseLost(taskId: string, standing: Exclude<Standing, { kind: 'mine' }>): Error {
  const why = describeStanding(standing);
  return standing.kind === 'unknown'
    ? new NotFoundError(describeMissing('tasks', taskId))
    : new LeaseLostError(`task ${taskId}: ${why}`);
}

function describeStanding(standing: Exclude<Standing, { kind: 'mine' }>): string {
  switch (standing.kind) {
    case 'unknown':
      return 'there is no such task';
    case 'completed':
      return `it has ended; finding ${standing.findingId} of ${standing.record.by} stands, and nothing was changed`;
    case 'failed':
      return `it has failed (${standing.reason}); nothing was changed`;
    case 'held':
      return `${standing.by} has it${standing.expiresAt === null ? '' : ` until ${new Date(standing.expiresAt).toISOString()}`}; this lease no longer holds it`;
    case 'open':
      return standing.wasMine
        ? 'this lease is over, and the task waits again; claim it anew (fleet claim)'
        : 'this lease does not hold it, and it waits; claim it first (fleet claim)';
  }
}

/** @throws LeaseLostError where the lease does not hold the task; NotFoundError where there is none */
export async function requireMine(db: Db, taskId: string, lease: string): Promise<Extract<Standing, { kind: 'mine' }>> {
  const standing = await readStanding(db, taskId, lease);
  if (standing.kind === 'mine') return standing;
  throw toLeaseLost(taskId, standing);
}
