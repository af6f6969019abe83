import { noteChange } from '../../audit/note-change.ts';
import { missionsQueue } from '../../../queues/missions.ts';
import { tasksQueue } from '../../../queues/tasks.ts';
import { UsageError } from '../../errors.ts';
import { readKnownNames, type KnownNames, type Configured } from '../../tasks/known-names.ts';
import { retryJob } from '../../tasks/repair/retry.ts';
import { MOST_ANSWER, MOST_ANSWERS } from '../calls/person-words.ts';
import { readNodes } from '../mission/nodes.ts';
import { readMission, readMissionFields, storeAnswer } from '../mission/record.ts';
import type { Answer } from '../calls/types.ts';
import { toShownState } from '../mission/shown-state.ts';
import type { MissionRecord } from '../mission/types.ts';
import type { AnsweredMission } from '../mission/review-types.ts';
import { findMission } from './find.ts';
import type { MissionStopParts } from './park.ts';
import { letGoOn } from './resume.ts';
import { startOwnJob } from '../mission/start-job.ts';
import { formatCount } from '../../text/plural.ts';

export interface AnswerParts extends MissionStopParts {
  /** Workspaces of this process' own configuration. */
  configured: Configured;
}

const HANDED_BACK = 'handed-back:';
const QUORUM = 'quorum:';

/**
 * Lets a mission that asks, or that has failed, go on with a person's answer in words. The answer reaches the model where the
 * mission asked: the archive and the planner after a retrieval that failed, the writer of a paper, the tasks that handed
 * themselves back, and the synthesis, which cites it. Where too few tasks are done and none of them can be given the answer, the
 * mission goes on with what there is.
 *
 * Delivery contract: the answer is stored before anything moves. A call that dies in between is finished by the same call; the
 * same answer to the same question is stored once.
 * @param by the person's name
 * @throws NotFoundError; UsageError for an answer that breaks a rule, and for a mission that asks nothing
 */
export async function answerMission(
  parts: AnswerParts,
  id: string,
  answer: string,
  by: string,
): Promise<AnsweredMission> {
  const text = checkAnswer(id, answer);
  const found = await findMission(parts, id);
  const { state, parked } = found;
  const record = await readMission(parts.db, id);
  const last = record?.answers.at(-1);
  if (record === null || !(await isAsking(parts, id, record))) {
    if (state === 'running' && !parked && last?.text === text) return finish(parts, id, last);
    throw new UsageError(describeNotAsking(id, state));
  }
  const again = last !== undefined && last.text === text && last.problem === record.problem;
  const tasks = await findHandedBack(parts, id, record);
  const stored = again ? last : await store(parts, id, record, { text, by, handedBack: tasks.length });
  const retried = await retryTasks(parts, tasks, stored);
  const common = { missionId: id, n: stored.n, again, retried, waivesQuorum: stored.waivesQuorum ?? false };
  if (record.state === 'failed') {
    await retryMission(parts, id, by);
    await noteAnswer(parts, id, { state, text, retried });
    return { ...common, released: 1 + retried.length, liftedHalt: false };
  }
  const { released, liftedHalt } = await letGoOn(parts, id, { found, decision: 'retry', by });
  await noteAnswer(parts, id, { state, text, retried });
  return { ...common, released, liftedHalt };
}

async function noteAnswer(
  { db }: AnswerParts,
  id: string,
  { state, text, retried }: { state: string; text: string; retried: readonly string[] },
): Promise<void> {
  const after = { state: 'running', answer: text, ...(retried.length === 0 ? {} : { retried: retried.length }) };
  await noteChange(db, { what: 'answer', about: { mission: id }, before: { state }, after });
}

function checkAnswer(id: string, answer: string): string {
  const text = answer.trim();
  if (text === '') throw new UsageError(`mission ${id}: expected an answer in words, got nothing`);
  if (text.length <= MOST_ANSWER) return text;
  throw new UsageError(
    `mission ${id}: the answer has ${formatCount(text.length)} characters, expected at most ${formatCount(MOST_ANSWER)}; longer material belongs into a context or a file`,
  );
}

/** Whether the mission waits for a person's answer, also while it is parked. */
async function isAsking({ db }: AnswerParts, id: string, record: MissionRecord): Promise<boolean> {
  const state = toShownState(record);
  if (state === 'asks' || state === 'failed') return true;
  if (state !== 'parked') return false;
  const [from = null] = await readMissionFields(db, id, 'parked_from');
  return from === 'asks';
}

function describeNotAsking(id: string, state: string): string {
  const shown = `fleet mission ${id} shows where it is`;
  if (state === 'planned')
    return `mission ${id}: waits for approval of its plan, not for an answer; fleet mission run ${id} runs it`;
  if (state === 'cancelled') return `mission ${id}: was cancelled; an answer cannot let it go on`;
  return `mission ${id}: is ${state} and asks nothing; ${shown}`;
}

/** The call before died after it had released the mission. */
async function finish(parts: AnswerParts, id: string, { n, waivesQuorum = false }: Answer): Promise<AnsweredMission> {
  const started = await startOwnJob(parts, id, null);
  return { missionId: id, n, again: true, retried: [], waivesQuorum, released: started ? 1 : 0, liftedHalt: false };
}

async function store(
  { db, queues }: AnswerParts,
  id: string,
  { answers, problem }: MissionRecord,
  { text, by, handedBack }: { text: string; by: string; handedBack: number },
): Promise<Answer> {
  if (answers.length >= MOST_ANSWERS) {
    throw new UsageError(
      `mission ${id}: it has ${MOST_ANSWERS} answers, the most it can hold; fleet resume ${id} --retry goes on without one, fleet park ${id} sets it aside`,
    );
  }
  const at = db.clock.date().toISOString();
  const waivesQuorum = problem.startsWith(QUORUM) && handedBack === 0;
  const answer = { at, by, problem, text, ...(waivesQuorum ? { waivesQuorum } : {}) };
  const n = await storeAnswer(db, id, answer, answers.length + 1);
  await (await queues[missionsQueue.name].getJob(id))?.log(`${at} answered by ${by}: ${text}`);
  return { n, ...answer };
}

/** Ids of the mission's tasks that need a person's judgement. Only those of a mission that has failed: the others may still be wanted. */
async function findHandedBack({ db }: AnswerParts, id: string, { state, nodes }: MissionRecord): Promise<string[]> {
  if (state !== 'failed' || nodes.length === 0) return [];
  const views = await readNodes(db, id, nodes);
  return views
    .filter((view) => view.state === 'failed' && view.reason.startsWith(HANDED_BACK))
    .map(({ jobId }) => jobId);
}

/** @returns ids of those that were put back to waiting */
async function retryTasks(
  { db, queues, configured }: AnswerParts,
  ids: readonly string[],
  { text, by }: Answer,
): Promise<string[]> {
  const queue = queues[tasksQueue.name];
  const known: KnownNames = await readKnownNames(db, configured);
  const append = `You had handed this task back. The person answers: ${text}`;
  for (const id of ids) {
    const job = await queue.getJob(id);
    const { description = '' } = Object(job?.data) as { description?: string };
    const edit = description.endsWith(append) ? {} : { append }; // a call that died has appended it
    await retryJob({ db, queue }, id, { by, known, edit });
  }
  return [...ids];
}

async function retryMission({ db, queues, configured }: AnswerParts, id: string, by: string): Promise<void> {
  const known = await readKnownNames(db, configured);
  await retryJob({ db, queue: queues[missionsQueue.name] }, id, { by, known });
}
