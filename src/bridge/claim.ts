import type { BridgeStamp } from '../../queues/bridge.ts';
import { tasksQueue } from '../../queues/tasks.ts';
import { CancelledError, HeldElsewhereError, InvalidJobError } from '../errors.ts';
import { toFindingId } from '../findings/finding.ts';
import { lockLost } from '../ledger/refusals.ts';
import type { Db } from '../redis/db.ts';
import { OLD_CLAIM_SECONDS } from '../redis/old-end.ts';
import { startOf } from '../text/start-of.ts';

/** How often a claim without an end is looked at. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Claims a task of another program for a run of its job, before the run does anything else. The claim outlives the run: whoever has the
 * job next takes it over, and it is renewed until the job has ended (`renew.ts`).
 * @returns null: this run has the task; else the id of the finding that another program's worker has stored for it
 * @throws InvalidJobError for a task that no worker can do; HeldElsewhereError; CancelledError; LockLostError
 */
export async function claimOldTask(
  { keys, scripts, clock }: Db,
  stamp: BridgeStamp,
  { jobId, token, workerId }: { jobId: string; token: string; workerId: string },
): Promise<{ findingId: string } | null> {
  const { task: id, form, problem } = stamp;
  if (problem !== undefined) throw new InvalidJobError(problem);
  if (form === 'v2') return null; // taken from its list, and answered there
  const [kind, found = '', ms = 0, stale = ''] = await scripts['claim-old-task'](
    {
      claimed: keys.oldTask(id, 'claimed'),
      result: keys.oldTask(id, 'result'),
      lock: keys.jobLock(tasksQueue.name, jobId),
      logs: keys.jobLogs(tasksQueue.name, jobId),
      counters: keys.counters,
      cancelled: keys.cancelled,
      oldEnds: keys.bridge('ends'),
      oldClaims: keys.bridge('claims'),
      oldHeld: keys.bridge('held'),
      activity: keys.activity,
    },
    [
      JSON.stringify({
        id,
        job: jobId,
        token,
        worker: workerId,
        finding: toFindingId(jobId),
        seconds: OLD_CLAIM_SECONDS,
        at: clock.date().toISOString(),
      }),
    ],
  );
  switch (kind) {
    case 'claimed':
    case 'done': // the loop finds the finding
      return null;
    case 'elsewhere':
      return { findingId: startOf(String(found).replace(/^finding:/, ''), 200) };
    case 'cancelled':
      throw new CancelledError('cancelled by a person');
    case 'lock-lost':
      throw lockLost(jobId);
    case 'held': {
      const leftMs = Number(ms) > 0 ? Number(ms) : LOOK_AGAIN_MS;
      const until = Number(ms) > 0 ? `its claim ends in ${Math.ceil(leftMs / 1000)} s` : 'its claim has no end';
      const message = `another worker, ${startOf(String(found), 100)}, has task:${startOf(id, 200)}; ${until}`;
      throw new HeldElsewhereError(id, String(found), leftMs, String(stale), message);
    }
  }
}
