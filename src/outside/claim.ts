import { randomBytes } from 'node:crypto';
import { taskInputSchema, tasksQueue, type TaskData } from '../../queues/tasks.ts';
import { redactJson } from '../config/redact.ts';
import { CancelledError, InvalidJobError, NotFoundError, UsageError } from '../errors.ts';
import { toFindingId } from '../findings/finding.ts';
import { describeHalt, readHalt } from '../halt/halt.ts';
import { parseJob } from '../jobs/contract.ts';
import { describeMissing } from '../jobs/describe-missing.ts';
import { completeRecorded, failHeld } from '../jobs/leased/end-held.ts';
import { returnLost } from '../jobs/leased/give-back.ts';
import { takeTask, type Taken } from '../jobs/leased/take.ts';
import { toTaskFor } from '../jobs/offer.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { toExactData } from '../tasks/exact-data.ts';
import { findCandidates, type Filter } from './candidates.ts';
import { describeOutsideRule } from './held-back.ts';
import { readVendorsByWorkspace } from '../tasks/known-names.ts';
import { countOf } from '../text/plural.ts';
import { requireFilter, requireLeaseMs, requireName } from './check-options.ts';
import type { OutsideParts } from './parts.ts';
import { readStanding, toLeaseLost } from './standing.ts';
import type { Claim, ClaimOptions, OutsideTask } from './types.ts';

/** Lists the ids to try, in order: the first page that holds a task which can be taken decides. */
type Pages = AsyncIterable<readonly string[]> | Iterable<readonly string[]>;

/**
 * Gives an outside worker a task, as BullMQ gives one to a worker, with a lease for its lock.
 *
 * Delivery contract: the process may die at any line. A claim that nobody learned of ends with its lease.
 * @throws UsageError for options that break a rule, or a task that only the fleet's workers may do; NotFoundError for an unknown one
 */
export async function claimTask(parts: OutsideParts, options: ClaimOptions & Filter): Promise<Claim | null> {
  const { db, queues, createRecord } = parts;
  const worker = requireName(options.as);
  const leaseMs = requireLeaseMs(options.leaseMs);
  requireFilter(options);
  const [, known] = await Promise.all([
    returnLost(db, () => queues.tasks, createRecord),
    db.redis.hexists(db.keys.workers, worker),
  ]);
  if (known === 1) throw new UsageError(`as: ${JSON.stringify(worker)} is a worker of the fleet; choose another name`);
  const heldBack = { vendors: await readVendorsByWorkspace(db, parts.configured), ids: new Set<string>() };
  const wanted = options.task;
  if (wanted !== undefined) {
    const why = await whyNot(parts, wanted, heldBack.vendors);
    if (why !== null) return none(options, why);
  }
  const pages: Pages = wanted === undefined ? findCandidates(db, options, heldBack) : [[wanted]];
  for await (const ids of pages) {
    for (;;) {
      const lease = `lease_${randomBytes(16).toString('hex')}`;
      const taken = await takeTask(db, ids, { token: lease, worker, leaseMs, record: createRecord() });
      if (taken.kind === 'none') break;
      if (taken.kind !== 'claimed') return none(options, await describeStop(parts, taken));
      const task = await begin(parts, taken.jobId, lease, worker);
      if (task === null) continue; // it ended instead
      return { task_id: taken.jobId, lease, expires_at: new Date(taken.expiresAt).toISOString(), task };
    }
  }
  if (wanted !== undefined)
    return none(options, `task ${wanted} cannot be claimed now: it is parked, or was just taken`);
  const stop = await readHalt(db);
  if (stop !== null) return none(options, `the fleet is halted: ${describeHalt(stop)}`);
  const kept = heldBack.ids.size;
  return none(
    options,
    kept === 0
      ? 'no task is offered that fits'
      : `no task is offered that fits and may leave its workspace; ${countOf(kept, 'other')} may not (;vendors=… in FLEET_WORKSPACES)`,
  );
}

function none({ onNone }: ClaimOptions, why: string): null {
  onNone?.(why);
  return null;
}

async function describeStop({ db }: OutsideParts, { kind }: Taken): Promise<string> {
  const halt = kind === 'halted' ? await readHalt(db) : null;
  if (halt !== null) return `the fleet is halted: ${describeHalt(halt)}`;
  return kind === 'halted' ? 'the fleet is halted' : 'the queue tasks is paused (Bull Board), or has no free place';
}

/** @returns why a task cannot be claimed now; null: it may be. @throws UsageError where it never can be */
async function whyNot(
  { db }: OutsideParts,
  taskId: string,
  vendors: Readonly<Record<string, readonly string[]>>,
): Promise<string | null> {
  const standing = await readStanding(db, taskId, '');
  if (standing.kind === 'unknown') throw new NotFoundError(describeMissing('tasks', taskId));
  const data = parseRecord(await db.redis.hget(db.keys.queueKey('tasks', taskId), 'data'));
  if (toTaskFor(data) === 'fleet') {
    throw new UsageError(`task ${taskId}: only the fleet's workers may do it; add it with --for outside, or --for any`);
  }
  const rule = describeOutsideRule(data, vendors);
  if (rule !== null) throw new UsageError(`task ${taskId}: no outside worker may have it: ${rule}`);
  return standing.kind === 'open' || standing.kind === 'mine' ? null : toLeaseLost(taskId, standing).message;
}

/** @returns the task; null: it was cancelled, has its finding already, or breaks the contract, and has ended */
async function begin(
  { db, queues, createRecord }: OutsideParts,
  jobId: string,
  lease: string,
  worker: string,
): Promise<OutsideTask | null> {
  const { redis, keys } = db;
  const held = { db, queue: queues.tasks };
  const [fields, cancelled] = await Promise.all([
    redis.hmget(keys.queueKey('tasks', jobId), 'data', 'name'),
    redis.zscore(keys.cancelled, jobId),
  ]);
  const [text = null, name] = fields;
  const end = { token: lease, by: worker, record: createRecord() };
  if (cancelled !== null) {
    await failHeld(held, jobId, { ...end, error: new CancelledError('cancelled before it was claimed') });
    return null;
  }
  if (await completeRecorded(held, jobId, text)) return null;
  try {
    const data = parseJob(tasksQueue, { name: name ?? '', data: parseRecord(text) });
    return redactJson(toOutsideTask(jobId, data), db.redact);
  } catch (error) {
    if (!(error instanceof InvalidJobError)) throw error;
    await failHeld(held, jobId, { ...end, error });
    return null;
  }
}

const FIELDS = Object.keys(taskInputSchema.shape).filter((name) => name !== 'for') as (keyof TaskData)[];

/** @returns what the task's author gave, with exact numbers, and where it belongs */
function toOutsideTask(id: string, data: TaskData): OutsideTask {
  const asked = Object.fromEntries(FIELDS.flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]]])));
  const { session, batch, mission_id: mission } = data;
  return {
    ...(asked as unknown as OutsideTask),
    ...(data.data === undefined ? {} : { data: toExactData(data) as OutsideTask['data'] }),
    id,
    finding_id: toFindingId(id, data.finding_id),
    ...(session === undefined ? {} : { session }),
    ...(typeof batch === 'string' ? { batch } : {}),
    ...(typeof mission === 'string' ? { mission_id: mission } : {}),
  };
}
