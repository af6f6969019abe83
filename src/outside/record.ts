import { toOwner } from '../../queues/owner.ts';
import type { TaskData } from '../../queues/tasks.ts';
import { createFinding } from '../findings/create-finding.ts';
import { toFindingId, type Finding } from '../findings/finding.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { RecordAnswer, TaskIdentity } from '../ledger/types.ts';
import { toNanoUsd } from '../pricing/money.ts';
import type { Unmetered } from './check-options.ts';
import type { OutsideParts } from './parts.ts';

/** What ledger rows and findings name as the model of an outside worker. */
const MODEL = 'outside';
/** Version of the work without a prompt of the fleet. */
const VERSION = 'outside-1';

export interface Found {
  task: TaskData;
  taskId: string;
  lease: string;
  worker: string;
  result: unknown;
  changes: Finding['changes'];
  /** What it changed in a tree of its own. */
  patch?: Finding['patch'];
  citations: string[];
  unmetered: Unmetered;
}

/** Names one hold of a task for the ledger. */
export async function toIdentity(
  { currentSession, createRecord }: Pick<OutsideParts, 'currentSession' | 'createRecord'>,
  { task, taskId, lease }: Pick<Found, 'task' | 'taskId' | 'lease'>,
): Promise<TaskIdentity> {
  return {
    jobId: taskId,
    token: lease,
    attempt: 0,
    digest: '',
    findingId: toFindingId(taskId, task.finding_id),
    session: task.session ?? (await currentSession()),
    batch: task.batch ?? null,
    missionId: task.mission_id ?? null,
    budgetNanoUsd: task.budget_usd === undefined ? null : toNanoUsd(task.budget_usd),
    ...toOwner(task),
    ...(task.origin === undefined ? {} : { origin: task.origin }),
    model: MODEL,
    costVendor: 'other',
    record: createRecord(),
  };
}

/** Records the finding of an outside worker, once, in the step in which a worker of the fleet does. */
export async function recordFound(
  parts: OutsideParts,
  found: Found,
): Promise<{ answer: RecordAnswer; findingId: string }> {
  const { db } = parts;
  const { task, worker, unmetered } = found;
  const { input, output, costUsd } = unmetered;
  const identity = await toIdentity(parts, found);
  const endedAt = db.clock.date().toISOString();
  const finding = createFinding({
    identity,
    workerId: worker,
    storedAt: endedAt,
    task: task.description,
    result: found.result,
    kind: task.kind ?? 'other',
    model: { id: MODEL, vendor: `outside:${worker}` },
    promptVersion: VERSION,
    citations: found.citations,
    changes: found.changes,
    ...(found.patch === undefined ? {} : { patch: found.patch }),
    topics: task.topics ?? [],
    unmetered: { input, output, cost: costUsd },
  });
  const log = `${endedAt} reported by ${worker}, unmetered`;
  const use = { input: input ?? 0, output: output ?? 0, nano: costUsd === null ? 0 : toNanoUsd(costUsd) };
  const ledger = createTurnLedger({ db, workerId: worker });
  const answer = await ledger.finish(identity, finding, null, { log, progress: null }, use);
  return { answer, findingId: identity.findingId };
}
