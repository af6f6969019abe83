import type { Db } from '../../redis/db.ts';
import type { RunRecord } from '../../run-record/run-record.ts';

/** BullMQ takes a job without a lock for one whose worker died. So the lock outlives the lease, whose end alone takes the task back. */
const LOCK_AFTER_LEASE_MS = 60_000;

export interface Holder {
  /** The value of the job's lock. */
  token: string;
  /** Name of the outside worker. */
  worker: string;
  leaseMs: number;
  /** True: also while the fleet is halted, to end the task. Default false. */
  always?: true;
  /** What is noted of the job that is taken. Default: nothing. */
  record?: RunRecord | undefined;
}

export type Taken = { kind: 'claimed'; jobId: string; expiresAt: number } | { kind: 'halted' | 'paused' | 'none' };

/** Gives an outside worker the first of these tasks that still waits. @param ids of offered tasks */
export async function takeTask({ keys, scripts }: Db, ids: readonly string[], holder: Holder): Promise<Taken> {
  const part = (name: string): string => keys.queueKey('tasks', name);
  const { token, worker, leaseMs, always, record } = holder;
  record?.note({ kind: 'taken', by: worker });
  const [kind, jobId = '', expiresAt = 0] = await scripts['claim-task'](
    {
      halt: keys.haltReason,
      meta: part('meta'),
      active: part('active'),
      wait: part('wait'),
      prioritized: part('prioritized'),
      delayed: part('delayed'),
      stalled: part('stalled'),
      events: part('events'),
      leases: keys.outsideLeases,
      offered: keys.offered,
      parked: keys.parked,
      runs: keys.run(''),
      jobs: ids.map((id) => keys.queueKey('tasks', id)),
    },
    [
      JSON.stringify({
        ids,
        token,
        worker,
        lease_ms: leaseMs,
        lock_ms: leaseMs + LOCK_AFTER_LEASE_MS,
        always,
        ...(record === undefined ? {} : { record: record.take() }),
      }),
    ],
  );
  return kind === 'claimed' ? { kind, jobId: String(jobId), expiresAt: Number(expiresAt) } : { kind };
}

/** @returns when the lease ends now, ms; null: it holds the task no more */
export async function renewTask(
  { keys, scripts }: Db,
  jobId: string,
  { token, leaseMs }: Pick<Holder, 'token' | 'leaseMs'>,
): Promise<number | null> {
  const ends = await scripts['renew-claim'](
    {
      leases: keys.outsideLeases,
      lock: keys.jobLock('tasks', jobId),
      stalled: keys.queueKey('tasks', 'stalled'),
    },
    [jobId, token, leaseMs, leaseMs + LOCK_AFTER_LEASE_MS],
  );
  return ends === 0 ? null : ends;
}
