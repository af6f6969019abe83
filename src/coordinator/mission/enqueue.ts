import type { Queue } from 'bullmq';
import { missionsQueue, type MissionInput } from '../../../queues/missions.ts';
import type { QueueName } from '../../../queues/registry.ts';
import { UsageError } from '../../errors.ts';
import { checkInput } from '../../jobs/check-input.ts';
import { assertWorkspace, readKnownNames } from '../../tasks/known-names.ts';
import { createMissionRecord, readMissionFields } from './record.ts';
import { assertMissionId, createMissionId, toMissionFindingId } from './id.ts';
import type { Db } from '../../redis/db.ts';
import { readJob } from '../../jobs/state/states.ts';
import type { JobState } from '../../jobs/state/types.ts';

export interface MissionProducerParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  /** Workspaces of this process' own configuration. */
  configured: string[];
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
 * @throws UsageError for a mission that breaks a rule
 */
export async function addMission(
  parts: MissionProducerParts,
  input: MissionInput,
  options: { missionId?: string | undefined; session: string },
): Promise<EnqueuedMission> {
  const { db, queues, configured } = parts;
  const data = checkInput('missions', 'mission', input);
  if (data.paper !== undefined && data.dry_run === true) {
    throw new UsageError('mission: a paper has no plan to show: leave out dry_run');
  }
  if (data.workspace !== undefined) assertWorkspace(data.workspace, await readKnownNames(db, configured));
  const { missionId: id = createMissionId(), session } = options;
  const findingId = toMissionFindingId(id);
  const { state } = await readJob(db, missionsQueue.name, id);
  if (state !== 'unknown') return { id, findingId, added: false, state };
  if (options.missionId !== undefined) {
    await assertMissionId({ db, tasks: queues.tasks }, id);
    // A mission that has ended keeps its record after its job was removed from the queue.
    const [endedAt = null] = await readMissionFields(db, id, 'endedAt');
    if (endedAt !== null) return { id, findingId, added: false, state };
  }
  await createMissionRecord(db, { id, data, session, createdAt: new Date() });
  await queues.missions.add(missionsQueue.jobName, { ...data, session }, { jobId: id });
  return { id, findingId, added: true, state: 'waiting' };
}
