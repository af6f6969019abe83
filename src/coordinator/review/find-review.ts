import { hash } from 'node:crypto';
import type { Queue } from 'bullmq';
import { missionsQueue, type MissionData } from '../../../queues/missions.ts';
import type { QueueName } from '../../../queues/registry.ts';
import { FleetError, NotFoundError, UsageError } from '../../errors.ts';
import { readJob } from '../../jobs/state/states.ts';
import type { JobView } from '../../jobs/state/states.ts';
import type { Db } from '../../redis/db.ts';
import { parseRecord } from '../../redis/stored-record.ts';
import { describeMissingMission } from '../mission/missing.ts';
import { readMission, readMissionFields } from '../mission/record.ts';
import { toShownState } from '../mission/shown-state.ts';
import type { MissionRecord } from '../mission/types.ts';
import type { Plan } from '../plan/plan.ts';

export interface ReviewParts {
  db: Db;
  queues: Record<QueueName, Queue>;
}

/** What is stored of a mission with a plan. */
export interface StoredReview {
  id: string;
  record: MissionRecord & { plan: Plan };
  /** As it was given. Null: its job is gone, and a version before kept it nowhere else. */
  input: MissionData | null;
  job: JobView;
  /** SHA-1 of the plan as it is stored. */
  version: string;
}

/** @throws NotFoundError; UsageError for a mission without a plan */
export async function findReview({ db, queues }: ReviewParts, id: string): Promise<StoredReview> {
  const { redis, keys } = db;
  const [planText = null] = await readMissionFields(db, id, 'plan');
  const record = await readMission(db, id);
  if (record === null) throw new NotFoundError(await describeMissingMission(db, id));
  const { plan } = record;
  if (plan === null || planText === null) throw new UsageError(await describeUnplanned(db, id, record));
  const [job, added, [kept = null]] = await Promise.all([
    readJob(db, missionsQueue.name, id),
    queues.missions.getJob(id),
    redis.hmget(keys.mission(id), 'input'),
  ]);
  return {
    id,
    record: { ...record, plan },
    input: toInput(id, added?.data ?? kept),
    job,
    version: toVersion(planText),
  };
}

/** SHA-1, which a script can compute, too. */
export function toVersion(planText: string): string {
  return hash('sha1', planText);
}

/** @param found data of a job, or the JSON of it */
function toInput(id: string, found: unknown): MissionData | null {
  if (found === null) return null;
  const data = missionsQueue.data.safeParse(typeof found === 'string' ? parseRecord(found) : found);
  if (data.success) return data.data;
  throw new FleetError(`mission ${id}: its record is damaged: what it was given breaks a rule: ${data.error.message}`);
}

async function describeUnplanned({ redis, keys }: Db, id: string, { state, problem }: MissionRecord): Promise<string> {
  if ((await redis.exists(keys.paper(id))) === 1) return `mission ${id}: it writes a paper, which has no plan`;
  if (toShownState({ state, problem }) === 'cancelled')
    return `mission ${id}: was cancelled before it had a plan; fleet retry ${id} runs it after all`;
  if (state === 'failed') return `mission ${id}: has failed before it had a plan: ${problem}; fleet retry ${id}`;
  if (state === 'asks') return `mission ${id}: asks, before it had a plan: ${problem}; fleet resume ${id}`;
  if (state === 'parked') return `mission ${id}: was parked before it had a plan; fleet resume ${id}`;
  return `mission ${id}: its plan is not made yet; fleet mission ${id} shows where it is`;
}
