import { DelayedError, WaitingChildrenError } from 'bullmq';
import type { MissionData } from '../../queues/missions.ts';
import { countOf } from '../text/plural.ts';
import { BudgetReachedError, CancelledError, InvalidJobError, TaskFailedError, toMessage } from '../errors.ts';
import { readFindingTexts } from '../findings/stored.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { findVendorProblem } from '../routing/allowed-vendors.ts';
import { toFailureReason } from '../jobs/outcomes/failure.ts';
import { readStoredTurns, type ProgressReader } from '../jobs/worker/crash-count.ts';
import type { JobRun } from '../jobs/worker/run-worker.ts';
import { compactBeforeMission } from './compact/compact.ts';
import type { DelegatedMission } from './delegate/delegate.ts';
import { admitPlan } from './delegate/sonnet-quota.ts';
import { executePlan } from './execute.ts';
import { recallArchive, surveyWorkspace } from './gather.ts';
import { makePlan } from './make-plan.ts';
import { toMissionFindingId } from './mission/id.ts';
import { createMissionRecord, readMission, readMissionFields, reopenMission } from './mission/record.ts';
import type { MissionRecord } from './mission/types.ts';
import { runPaper } from './paper/run-paper.ts';
import { countByClass } from './plan/check.ts';
import { toPlanModels } from './plan/plan-models.ts';
import type { PlanNode } from './plan/plan.ts';
import { keepPlanCost } from './review/plan-cost.ts';
import { createMissionRun, type CoordinatorParts, type MissionRun } from './step/run.ts';
import type { MissionEnd } from './step/types.ts';

export interface MissionParts extends CoordinatorParts {
  /** The session of a mission that was added without one. */
  currentSession(): Promise<string>;
  /** Called before a mission waits for its tasks. */
  onWaiting?: (mission: DelegatedMission) => void;
}

export type MissionHandler = (data: MissionData, run: JobRun) => Promise<MissionEnd>;

/**
 * Builds the job handler of missions: recall → survey → plan → delegate → wait → synthesise → store.
 *
 * Delivery contract: a run may die at any line, and the next run begins at the first line. Each step's result is stored
 * before the next step begins. No call is paid twice, no task is added twice, and one finding is stored. A mission that
 * waits holds no slot.
 */
export function createMissionHandler(parts: MissionParts): MissionHandler {
  return async (data, jobRun) => {
    const session = data.session ?? (await readSession(parts, jobRun.job.id ?? ''));
    const run = createMissionRun(parts, { data, session, run: jobRun });
    try {
      return await runMission(run, parts);
    } catch (error) {
      await recordEnd(run, error);
      throw error;
    }
  };
}

/** A mission added without a session keeps the one in which its first run began. */
async function readSession({ db, currentSession }: MissionParts, id: string): Promise<string> {
  const [session = null] = await readMissionFields(db, id, 'session');
  return session ?? currentSession();
}

/** @throws TaskFailedError `model` where the workspace forbids the coordinator's model: its own configuration may have changed */
function requireAllowedModel({ mission, config, now }: MissionRun): void {
  const entry = catalogOf(config).findPrices(config.FLEET_COORDINATOR_MODEL, now());
  const problem = findVendorProblem(entry, mission.vendors);
  if (problem === null) return;
  const allowed = mission.vendors?.join(', ') ?? '';
  throw new TaskFailedError('model', `${problem}, and the mission's workspace allows only ${allowed}`);
}

async function runMission(run: MissionRun, parts: MissionParts): Promise<MissionEnd> {
  const { mission, job } = run;
  requireAllowedModel(run);
  const record = await begin(run);
  if (record.state === 'done') return { findingId: record.finding ?? '', costNanoUsd: 0 };
  if (record.state === 'asks' || record.state === 'parked' || record.state === 'planned')
    return job.setAside(record.state);
  if (await hasFinding(run)) return endWithFinding(run);
  if (await isNew(run, record)) await compactBeforeMission(parts, job);
  if (mission.data.paper !== undefined) return runPaper(run);
  await gather(run, record);
  if ((await run.record.read()).plan === null) await makePlan(run);
  const { approval, nodes, counts, excess } = await run.record.read();
  if (approval !== null) await admitApproved(run, nodes);
  else if (mission.data.approve === true) return job.waitForApproval(counts.total, excess);
  else if (mission.data.dry_run === true) return endDryRun(run);
  else if (excess !== '') return job.waitForApproval(counts.total, excess);
  return executePlan(run, parts.onWaiting);
}

/** Reads the record that this run begins with, and creates a missing one. A failed mission that was retried runs again. */
async function begin({ db, mission, record, now }: MissionRun): Promise<MissionRecord> {
  const { redis, keys } = db;
  const { id, data, session } = mission;
  const found = await readMission(db, id);
  if (found === null || found.createdAt === null) {
    await createMissionRecord(db, { id, data, session, createdAt: now() });
    return record.read();
  }
  if (found.state !== 'done' && (await redis.zscore(keys.cancelled, id)) !== null) {
    throw new CancelledError('cancelled by a person');
  }
  if (found.state === 'failed') {
    await reopenMission(db, id, now());
    return record.read();
  }
  if (found.state === 'running' && found.problem !== '') await record.patch({ problem: '' });
  return found;
}

/**
 * Whether a finding of this mission is stored already: a mission of this id was done before its record was deleted, or in
 * another swarm whose findings were imported.
 * @throws TaskFailedError `finding-taken`, before anything is paid
 */
async function hasFinding({ db, mission: { id } }: MissionRun): Promise<boolean> {
  const findingId = toMissionFindingId(id);
  const [text = null] = await readFindingTexts(db, [findingId]);
  if (text === null) return false;
  if (text.includes(`"job_id":${JSON.stringify(id)}`)) return true; // the same test as in the Lua scripts
  throw new TaskFailedError('finding-taken', `finding ${findingId} already exists and belongs to something else`);
}

async function endWithFinding({ mission, job, record, now }: MissionRun): Promise<MissionEnd> {
  const findingId = toMissionFindingId(mission.id);
  await job.log(`${findingId} is written already: a mission of this id was done before, and nothing is paid again`);
  await record.patch({ state: 'done', finding: findingId, endedAt: now().toISOString() });
  return { findingId, costNanoUsd: 0 };
}

/** Whether no step of the mission has a result. Only then the archive is compacted first. */
async function isNew({ db: { redis, keys }, mission }: MissionRun, record: MissionRecord): Promise<boolean> {
  if (mission.data.paper === undefined) return record.recall === null;
  return (await redis.exists(keys.paper(mission.id))) === 0;
}

/** Collects what the planner is given: recall and survey. */
async function gather(run: MissionRun, { plan, recall, survey }: MissionRecord): Promise<void> {
  if (plan !== null) return;
  const { record, job } = run;
  if (recall === null) {
    await record.patch({ step: 'recall' });
    const found = await recallArchive(run);
    await record.patch({ recall: found, step: 'survey' });
    if ('skipped' in found) await job.log(`recall skipped: ${found.skipped}`);
  }
  if (survey === null) {
    const found = await surveyWorkspace(run);
    await record.patch({ survey: found, step: 'plan' });
    if ('files' in found) await job.log(`survey: ${found.files.length} of ${countOf(found.total, 'file')} listed`);
  }
}

/** Counts the tasks of an approved plan in the session's share of expensive ones. Only now: a plan that is never run has none. */
async function admitApproved(
  { db, config, now, mission: { id, session, vendors } }: MissionRun,
  nodes: readonly PlanNode[],
): Promise<void> {
  const counts = countByClass(nodes, toPlanModels(config, { vendors, at: now() }));
  await admitPlan(db, { missionId: id, session }, counts, 'allow');
}

/** Ends a mission of which only the plan was wanted: no task is added and no finding is stored. A person may run the plan later. */
async function endDryRun(run: MissionRun): Promise<MissionEnd> {
  const { nanoUsd } = await keepPlanCost(run);
  await run.record.patch({ state: 'done', endedAt: run.now().toISOString() });
  return { findingId: '', costNanoUsd: nanoUsd };
}

/** Stores why the mission failed or is parked, before BullMQ stores the job's end. Every other error is a wait. */
async function recordEnd({ record, now }: MissionRun, thrown: unknown): Promise<void> {
  if (thrown instanceof WaitingChildrenError || thrown instanceof DelayedError) return;
  const isEnd =
    thrown instanceof TaskFailedError || thrown instanceof InvalidJobError || thrown instanceof CancelledError;
  if (isEnd) {
    const problem = `${toFailureReason(thrown)}: ${thrown.message}`;
    await record.patch({ state: 'failed', problem, endedAt: now().toISOString() });
  } else if (thrown instanceof BudgetReachedError) {
    await record.patch({ problem: `parked: ${toMessage(thrown)}` });
  }
}

/**
 * The progress of a mission, for the crash count: its stored replies, step and round, the tasks it has added, the fields of
 * its paper, and the number of summaries made before its first step.
 */
export const readMissionProgress: ProgressReader = async (db, id) => {
  const { redis, keys } = db;
  const [turns, [step, round, plan, recall, survey], added, paper, summaries] = await Promise.all([
    readStoredTurns(db, id),
    readMissionFields(db, id, 'step', 'round', 'plan', 'recall', 'survey'),
    redis.bitcount(keys.missionAdded(id)),
    redis.hlen(keys.paper(id)),
    redis.hget(keys.counters, 'summaries'),
  ]);
  const known = [plan, recall, survey].filter(Boolean).length;
  return [turns, step ?? '', round ?? 0, known, added, paper, known === 0 ? summaries : ''].join('/');
};
