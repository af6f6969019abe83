import { DelayedError, WaitingChildrenError } from 'bullmq';
import { createMissionRecord, readMission } from './mission/record.ts';
import { readStoredTurns, type ProgressReader } from '../jobs/worker/crash-count.ts';
import type { MissionData } from '../../queues/missions.ts';
import { countOf } from '../text/plural.ts';
import { BudgetReachedError, CancelledError, InvalidJobError, TaskFailedError, toMessage } from '../errors.ts';
import { readFindingTexts } from '../findings/stored.ts';
import { toFailureReason } from '../jobs/outcomes/failure.ts';
import type { JobRun } from '../jobs/worker/run-worker.ts';
import { executePlan } from './execute.ts';
import { createStepContext, type ContextParts } from './step/context.ts';
import type { DelegatedMission } from './delegate/delegate.ts';
import { makePlan } from './make-plan.ts';
import { compactBeforeMission } from './compact/compact.ts';
import { toMissionFindingId } from './mission/id.ts';
import type { MissionRecord } from './mission/types.ts';
import { runPaper } from './paper/run-paper.ts';
import type { MissionEnd, StepContext } from './step/types.ts';
import { recallArchive, surveyWorkspace } from './gather.ts';

export interface MissionParts extends ContextParts {
  /** The session a mission belongs to that was not stamped with one. */
  currentSession(): Promise<string>;
  /** Called before a mission waits for its tasks. */
  onWaiting?: (mission: DelegatedMission) => void;
}

export type MissionHandler = (data: MissionData, run: JobRun) => Promise<MissionEnd>;

/**
 * Builds what turns a mission into a finding: recall → survey → plan → delegate → wait → synthesise → store.
 *
 * Delivery contract: a run may die at any line, and begins again at the first. Every step's result is stored before the
 * next begins; no call is paid twice, no task added twice, one finding recorded. Waiting holds no slot.
 */
export function createMissionHandler(parts: MissionParts): MissionHandler {
  return async (data, run) => {
    const session = data.session ?? (await readSession(parts, run.job.id ?? ''));
    const ctx = createStepContext(parts, data, run, session);
    try {
      return await runMission(ctx, parts);
    } catch (error) {
      await noteEnd(ctx, error);
      throw error;
    }
  };
}

/** A mission that was not stamped keeps the session it began in. */
async function readSession({ db: { redis, keys }, currentSession }: MissionParts, id: string): Promise<string> {
  return (await redis.hget(keys.mission(id), 'session')) ?? currentSession();
}

async function runMission(ctx: StepContext, parts: MissionParts): Promise<MissionEnd> {
  const record = await beginMission(ctx);
  if (record.state === 'done') return { findingId: record.finding ?? '', costNanoUsd: 0 };
  if (record.state === 'asks' || record.state === 'parked') return ctx.setAside(record.state);
  if (await isWritten(ctx)) return endAsWritten(ctx);
  if (await isNew(ctx, record)) await compactBeforeMission(ctx, parts);
  if (ctx.data.paper !== undefined) return runPaper(ctx);
  await findOut(ctx, record);
  if ((await ctx.read()).plan === null) await makePlan(ctx);
  if (ctx.data.dry_run === true) return endDryRun(ctx);
  return executePlan(ctx, parts.onWaiting);
}

/** Whether it stands before its first step: what has begun goes on, however full the archive is. */
async function isNew({ db: { redis, keys }, id, data }: StepContext, record: MissionRecord): Promise<boolean> {
  return data.paper === undefined ? record.recall === null : (await redis.exists(keys.paper(id))) === 0;
}

/** What is known before the plan. */
async function findOut(ctx: StepContext, record: MissionRecord): Promise<void> {
  if (record.plan !== null) return;
  if (record.recall === null) {
    await ctx.record({ step: 'recall' });
    const found = await recallArchive(ctx);
    await ctx.record({ recall: found, step: 'survey' });
    if ('skipped' in found) await ctx.note(`recall skipped: ${found.skipped}`);
  }
  if (record.survey === null) {
    const found = await surveyWorkspace(ctx);
    await ctx.record({ survey: found, step: 'plan' });
    if ('files' in found) await ctx.note(`survey: ${found.files.length} of ${countOf(found.total, 'file')} listed`);
  }
}

/**
 * Whether its finding stands there already: a mission of this id was done here before its record was forgotten, or in
 * another swarm whose findings were imported.
 * @throws TaskFailedError `finding-taken`, before anything is paid
 */
async function isWritten({ db, id }: StepContext): Promise<boolean> {
  const findingId = toMissionFindingId(id);
  const [text = null] = await readFindingTexts(db, [findingId]);
  if (text === null) return false;
  if (text.includes(`"job_id":${JSON.stringify(id)}`)) return true; // as the scripts look for it
  throw new TaskFailedError('finding-taken', `finding ${findingId} already exists and belongs to something else`);
}

async function endAsWritten(ctx: StepContext): Promise<MissionEnd> {
  const findingId = toMissionFindingId(ctx.id);
  await ctx.note(`${findingId} is written already: a mission of this id was done before, and nothing is paid again`);
  await ctx.record({ state: 'done', finding: findingId, endedAt: ctx.now().toISOString() });
  return { findingId, costNanoUsd: 0 };
}

/** The plan is all that was wanted: nothing is delegated and no finding written. */
async function endDryRun(ctx: StepContext): Promise<MissionEnd> {
  await ctx.record({ state: 'done', endedAt: ctx.now().toISOString() });
  await ctx.db.redis.del(ctx.db.keys.turns(ctx.id));
  return { findingId: '', costNanoUsd: ctx.totals().nanoUsd };
}

/** Stores why a mission stands or has failed, before BullMQ is told: the state first. Whatever else throws is a wait. */
async function noteEnd(ctx: StepContext, thrown: unknown): Promise<void> {
  if (thrown instanceof WaitingChildrenError || thrown instanceof DelayedError) return;
  const isEnd =
    thrown instanceof TaskFailedError || thrown instanceof InvalidJobError || thrown instanceof CancelledError;
  if (isEnd) {
    const problem = `${toFailureReason(thrown)}: ${thrown.message}`;
    await ctx.record({ state: 'failed', problem, endedAt: ctx.now().toISOString() });
  } else if (thrown instanceof BudgetReachedError) {
    await ctx.record({ problem: `parked: ${toMessage(thrown)}` });
  }
}

/**
 * Where a mission stands: its stored replies, its step, the tasks it has put into the queue, the fields of its paper, and
 * how many summaries were made before it began.
 */
export const readMissionProgress: ProgressReader = async (db, id) => {
  const { redis, keys } = db;
  const [turns, [step, round, plan, recall, survey], added, paper, summaries] = await Promise.all([
    readStoredTurns(db, id),
    redis.hmget(keys.mission(id), 'step', 'round', 'plan', 'recall', 'survey'),
    redis.bitcount(keys.missionAdded(id)),
    redis.hlen(keys.paper(id)),
    redis.hget(keys.counters, 'summaries'),
  ]);
  const known = [plan, recall, survey].filter(Boolean).length;
  return [turns, step ?? '', round ?? 0, known, added, paper, known === 0 ? summaries : ''].join('/');
};

/** The record a run begins with. A mission that failed and was retried runs again. */
async function beginMission(ctx: StepContext): Promise<MissionRecord> {
  const { db, id, data, session } = ctx;
  const { redis, keys } = db;
  const found = await readMission(db, id);
  if (found === null || found.createdAt === null) {
    await createMissionRecord(db, { id, data, session, createdAt: ctx.now() });
    return ctx.read();
  }
  if (found.state !== 'done' && (await redis.zscore(keys.cancelled, id)) !== null) {
    throw new CancelledError('cancelled by a person');
  }
  if (found.state === 'failed') {
    await redis.hdel(keys.mission(id), 'endedAt');
    await ctx.record({ state: 'running', problem: '' });
    return ctx.read();
  }
  if (found.state === 'running' && found.problem !== '') await ctx.record({ problem: '' });
  return found;
}
