import type { Queue } from 'bullmq';
import { missionsQueue, type MissionInput } from '../../../queues/missions.ts';
import { toOwner } from '../../../queues/owner.ts';
import type { QueueName } from '../../../queues/registry.ts';
import { UsageError } from '../../errors.ts';
import { checkInput } from '../../jobs/check-input.ts';
import { OUTSIDE_VENDOR } from '../../config/workspaces.ts';
import { findVendorProblem, toAllowedVendors, toVendorStamp } from '../../routing/allowed-vendors.ts';
import { assertWorkspace, readKnownNames, type Configured } from '../../tasks/known-names.ts';
import { createMissionRecord, readMissionFields } from './record.ts';
import { assertMissionId, createMissionId, toMissionFindingId } from './id.ts';
import type { Db } from '../../redis/db.ts';
import { assertOwnShard } from '../../jobs/foreign-shard.ts';
import { readJob } from '../../jobs/state/states.ts';
import type { JobState } from '../../jobs/state/types.ts';

export interface MissionProducerParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  /** Workspaces of this process' own configuration. */
  configured: Configured;
}

/** The result of enqueuing one mission. */
export interface EnqueuedMission {
  id: string;
  /** Key suffix of the finding it will write. */
  findingId: string;
  /** False: a mission of this id exists already; nothing was added. */
  added: boolean;
  state: JobState;
}

/**
 * Adds a mission: first its record with its budget, then its job.
 * @param options.missionId an existing mission of this id is reported, never added twice; default: a random id
 * @param options.client who pays; default: no client
 * @throws UsageError for a mission that breaks a rule
 */
export async function addMission(
  parts: MissionProducerParts,
  input: MissionInput,
  options: { missionId?: string | undefined; session: string; client?: string | undefined },
): Promise<EnqueuedMission> {
  const { db, queues, configured } = parts;
  const data = toData(checkInput('missions', 'mission', input));
  const known = await readKnownNames(db, configured);
  if (data.workspace !== undefined) assertWorkspace(data.workspace, known);
  const vendors = toAllowedVendors(data, known.vendors ?? {});
  if (vendors !== null) assertMayPlan(data, vendors, { ...configured, at: db.clock.date() });
  const { missionId: id = createMissionId(), session, client } = options;
  const findingId = toMissionFindingId(id);
  await assertOwnShard(db, missionsQueue.name, { jobId: id, findingId, shard: data.shard });
  const { state } = await readJob(db, missionsQueue.name, id);
  if (state !== 'unknown') return { id, findingId, added: false, state };
  if (options.missionId !== undefined) {
    await assertMissionId({ db, tasks: queues.tasks }, id);
    // A mission that has ended keeps its record after its job was removed from the queue.
    const [endedAt = null] = await readMissionFields(db, id, 'endedAt');
    if (endedAt !== null) return { id, findingId, added: false, state };
  }
  const stamped = {
    ...data,
    session,
    ...toOwner({ client }),
    ...toVendorStamp(vendors),
  };
  await createMissionRecord(db, { id, data: stamped, session, createdAt: db.clock.date() });
  await queues.missions.add(missionsQueue.jobName, stamped, { jobId: id });
  return { id, findingId, added: true, state: 'waiting' };
}

/** @throws UsageError where the workspace forbids the coordinator's model, or whoever may take the tasks */
function assertMayPlan(
  { workspace = '', for: takers = 'fleet' }: MissionInput,
  vendors: readonly string[],
  { coordinator, catalog, at }: Configured & { at: Date },
): void {
  const problem = coordinator === undefined ? null : findVendorProblem(catalog.findPrices(coordinator, at), vendors);
  const rule = `workspace ${workspace} allows only ${vendors.join(', ') || 'none'} (;vendors=… in FLEET_WORKSPACES)`;
  if (problem !== null) throw new UsageError(`mission: the coordinator's model ${problem}, and ${rule}`);
  if (takers !== 'fleet' && !vendors.includes(OUTSIDE_VENDOR)) {
    throw new UsageError(`for: ${takers} gives tasks to outside workers, and ${rule}`);
  }
}

/** @throws UsageError for a paper of which only a plan is wanted */
function toData(input: MissionInput): MissionInput {
  const { paper, dry_run: dryRun, approve } = input;
  const unfit = dryRun === true ? 'dry_run' : 'approve';
  if (paper !== undefined && (dryRun === true || approve === true)) {
    throw new UsageError(`mission: a paper has no plan to show: leave out ${unfit}`);
  }
  if (dryRun === true && approve === true) {
    throw new UsageError('mission: dry_run ends with the plan, approve waits with it: leave out one of them');
  }
  // A coordinator of a version before knows no `approve`: it ends with the plan, and spends nothing on tasks.
  return approve === true ? { ...input, dry_run: true } : input;
}
