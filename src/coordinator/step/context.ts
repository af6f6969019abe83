import { DelayedError, WaitingChildrenError } from 'bullmq';
import { hash } from 'node:crypto';
import { archiveInputSchema } from '../../../queues/archive.ts';
import type { MissionData } from '../../../queues/missions.ts';
import { taskInputSchema } from '../../../queues/tasks.ts';
import { toMessage, UsageError } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import { parseFinding, readFindingTexts } from '../../findings/stored.ts';
import { toRules } from '../../jobs/contract.ts';
import { delayForPerson } from '../../jobs/outcomes/park.ts';
import { promote } from '../../jobs/outcomes/parked.ts';
import type { JobRun } from '../../jobs/worker/run-worker.ts';
import type { JobTotals, TurnLedger } from '../../ledger/types.ts';
import { toQueryIds } from '../../librarian/queries/enqueue.ts';
import type { Model } from '../../models/model.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { lockLost } from '../../ledger/refusals.ts';
import { addChildren, readChildren, toDependenciesKey, type ChildRef } from '../mission/children.ts';
import { toMissionFindingId } from '../mission/id.ts';
import { readMission, writeMission } from '../mission/record.ts';
import type { ChildEnd, StepContext } from './types.ts';
import { storeMission } from './store-mission.ts';
import { createStructuredCalls } from '../calls/structured-call.ts';

/** What a coordinator's process gives to every mission. */
export type ContextParts = Pick<StepContext, 'db' | 'queues' | 'halt' | 'config' | 'workerId' | 'log' | 'now'> & {
  model: Model;
  ledger: TurnLedger;
  notifier: Notifier;
};

/** BullMQ's words for a job that this process has no more: missing, lock missing, not active, another's lock. */
const LOST_CODES = new Set([-1, -2, -3, -6]);

/** Builds the context of one run of one mission. @param session what the mission is booked to */
export function createStepContext(parts: ContextParts, data: MissionData, run: JobRun, session: string): StepContext {
  const { db, workerId, now } = parts;
  const { redis, keys } = db;
  const id = run.job.id ?? '';
  const findingId = toMissionFindingId(id);
  const note = async (line: string): Promise<void> => {
    await run.job.log(`${now().toISOString()} ${line} (${workerId})`);
  };
  const count = async (counter: string): Promise<void> => void (await redis.hincrby(keys.counters, counter, 1));
  const calls = createStructuredCalls({
    model: parts.model,
    ledger: parts.ledger,
    identity: {
      jobId: id,
      token: run.token,
      attempt: run.job.attemptsMade,
      digest: toDigest(data),
      findingId,
      session,
      batch: null,
      missionId: id,
      budgetNanoUsd: null,
    },
    signal: run.signal,
    isDraining: run.isDraining,
    workerId,
    now,
    note: (line) => run.job.log(line),
  });

  async function waitForChildren(): Promise<void> {
    run.signal.throwIfAborted();
    if (await ifStillOurs(id, run.job.moveToWaitingChildren(run.token))) throw new WaitingChildrenError();
  }

  async function moveAway(ms: number): Promise<never> {
    await ifStillOurs(id, run.job.moveToDelayed(Date.now() + ms, run.token));
    throw new DelayedError();
  }

  /** Adds the job where it is not there yet, and comes back once it has ended. */
  async function child(queue: 'tasks' | 'archive', ref: ChildRef, toData: () => object): Promise<ChildEnd> {
    for (;;) {
      const [found = { state: 'absent' as const }] = await readChildren(db, queue, [ref]);
      if (found.state === 'failed') return found;
      if (found.state === 'done') return readEnd(ref);
      const key = keys.queueKey(queue, ref.jobId);
      const tied = found.state === 'open' && (await redis.sismember(toDependenciesKey(keys, id), key)) === 1;
      if (!tied) await addChildren(parts, id, queue, [{ jobId: ref.jobId, data: toData() }]);
      await waitForChildren();
    }
  }

  async function readEnd({ findingId: written }: ChildRef): Promise<ChildEnd> {
    const [text = null] = await readFindingTexts(db, [written]);
    const finding = text === null ? null : parseFinding(written, text);
    if (finding === null) return { state: 'failed', reason: `missing: finding ${written} cannot be read` };
    return { state: 'completed', finding };
  }

  return {
    ...parts,
    id,
    data,
    session,
    signal: run.signal,
    isDraining: run.isDraining,
    note,
    count,
    record: (patch) => writeMission(db, id, patch, now()),
    async read() {
      const record = await readMission(db, id);
      if (record === null) throw new Error(`mission ${id}: its record is gone`);
      return record;
    },
    askStructured: calls.ask,
    totals: calls.totals,
    async query({ queryId, ...input }) {
      const parsed = archiveInputSchema.safeParse({ mission_id: id, ...input });
      if (!parsed.success) throw new UsageError(`question: ${toRules(parsed.error)}`);
      const ids = toQueryIds(queryId);
      const stamps = { session, query_id: ids.queryId, finding_id: ids.findingId };
      return child('archive', ids, () => ({ ...parsed.data, ...stamps }));
    },
    async task({ taskId, ...input }) {
      const parsed = taskInputSchema.safeParse(input);
      if (!parsed.success) throw new UsageError(`task: ${toRules(parsed.error)}`);
      const ref = { jobId: taskId, findingId: toFindingId(taskId, parsed.data.finding_id) };
      return child('tasks', ref, () => ({ ...parsed.data, session, mission_id: id }));
    },
    waitForChildren,
    async askPerson(problem) {
      await writeMission(db, id, { state: 'asks', problem }, now());
      await count('missions_asked');
      await note(`asks: ${problem}; fleet resume ${id} --retry goes on`);
      parts.notifier.notify(`asks:${id}:${run.job.stalledCounter}:${problem}`, {
        event: 'mission-asks',
        mission: id,
        detail: problem,
      });
      return setAside('asks');
    },
    async comeBackLater(afterMs, why) {
      await note(`waits ${Math.ceil(afterMs / 1000)} s: ${why}`);
      return moveAway(afterMs);
    },
    setAside,
    store: async (outcome) =>
      storeMission({ db, config: parts.config, now }, outcome, {
        id,
        findingId,
        token: run.token,
        goal: data.goal,
        session,
        topics: data.topics ?? [],
        workerId,
        totals: await readTotals(),
      }),
  };

  /** A run that had nothing left to ask has to look up what the runs before it have paid. */
  async function readTotals(): Promise<JobTotals> {
    const totals = calls.totals();
    const kept = totals.calls > 0 ? null : await redis.hget(keys.turns(id), 'totals');
    return kept === null ? totals : (JSON.parse(kept) as JobTotals);
  }

  async function setAside(state: 'asks' | 'parked'): Promise<never> {
    const delayed = delayForPerson(run.job, run.token, async () => {
      if ((await redis.hget(keys.mission(id), 'state')) !== state) await promote(run.job);
    });
    throw await ifStillOurs(id, delayed);
  }
}

/** @throws LockLostError where BullMQ says that this process has the job no more */
async function ifStillOurs<T>(id: string, moved: Promise<T>): Promise<T> {
  try {
    return await moved;
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), 'code');
    if (typeof code === 'number' && LOST_CODES.has(code)) throw lockLost(id);
    throw error instanceof Error ? error : new Error(toMessage(error));
  }
}

/** What a person asked for: the stamps of the queue do not count. */
function toDigest({ session: _session, ...asked }: MissionData): string {
  return hash('sha256', JSON.stringify(asked)).slice(0, 16);
}
