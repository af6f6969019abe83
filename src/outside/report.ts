import { tasksQueue, type TaskData } from '../../queues/tasks.ts';
import { LeaseLostError, TaskFailedError, toMessage, UsageError } from '../errors.ts';
import { isOfShard } from '../findings/marks.ts';
import { parseFinding, readFindingTexts } from '../findings/stored.ts';
import { parseJob } from '../jobs/contract.ts';
import { completeHeld, failHeld } from '../jobs/leased/end-held.ts';
import { returnLost } from '../jobs/leased/give-back.ts';
import { parseRecord } from '../redis/stored-record.ts';
import type { Db } from '../redis/db.ts';
import { stringifyExact } from '../text/exact-json.ts';
import { DEEPEST_RULE, isTooDeep } from '../text/json-depth.ts';
import { createResultCheck } from '../tasks/schema/result-check.ts';
import { noticeBatchEnd } from '../tasks/batch/lifecycle.ts';
import { requireCitations, requireFiles, requireRef, requireUnmetered } from './check-options.ts';
import type { OutsideParts } from './parts.ts';
import { recordFound, type Found } from './record.ts';
import { readStanding, requireMine, toLeaseLost } from './standing.ts';
import type { ReportAnswer, ReportOptions } from './types.ts';

/** Characters of a result as JSON: a finding above it is not searched. */
const LONGEST_RESULT = 8_000_000;
/** Cited findings of one command: each may be large. */
const PAGE = 20;

/**
 * Records what an outside worker found, and ends its task. Also during a halt: the work is done.
 *
 * Delivery contract: the process may die at any line. The same report by the same lease then ends what it began; a finding is
 * recorded once, and the first one stands.
 * @throws UsageError for a report that breaks a rule: the lease still holds the task; LeaseLostError; NotFoundError
 */
export async function reportTask(parts: OutsideParts, options: ReportOptions): Promise<ReportAnswer> {
  const { db, queues, createRecord } = parts;
  requireRef(options);
  const { taskId, lease } = options;
  const changes = requireFiles(options.files).map((path) => ({ path, added: 0, removed: 0, lines: '0-0' }));
  const cited = requireCitations(options.citations);
  const unmetered = requireUnmetered(options);
  if (options.result === undefined || options.result === null) throw new UsageError('result: expected text or JSON');

  await returnLost(db, () => queues.tasks, createRecord);
  const standing = await readStanding(db, taskId, lease);
  if (standing.kind === 'completed' && standing.wasMine) {
    const lost = toLeaseLost(taskId, standing);
    const task = parseJob(tasksQueue, { name: tasksQueue.jobName, data: parseRecord(standing.data) });
    const result = await checkResult(task, options.result).catch(() => Promise.reject(lost));
    return await repeat(parts, { ...options, result }, standing.findingId, lost);
  }
  if (standing.kind !== 'mine') throw toLeaseLost(taskId, standing);
  const task = parseJob(tasksQueue, { name: tasksQueue.jobName, data: parseRecord(standing.data) });
  const result = await checkResult(task, options.result).catch(stillHeld);
  const citations = await requireKnown(parts, task, cited);
  const worker = standing.record.by;
  return await endWith(parts, { task, taskId, lease, worker, result, changes, citations, unmetered });
}

/** Records a checked result, and ends the task. @throws LeaseLostError */
export async function endWith(parts: OutsideParts, found: Found): Promise<ReportAnswer> {
  const { taskId, lease, worker, task } = found;
  const held = { db: parts.db, queue: parts.queues.tasks };
  const { answer, findingId } = await recordFound(parts, found);
  switch (answer) {
    case 'recorded':
    case 'already': {
      await completeHeld(held, taskId, lease, { findingId, costNanoUsd: 0 });
      await noticeEnd(parts, task);
      if (answer === 'recorded') return { recorded: answer, task_id: taskId, finding_id: findingId };
      const lost = new LeaseLostError(`task ${taskId}: its finding ${findingId} was recorded before, and stands`);
      return await repeat(parts, { ...found, files: found.changes.map(({ path }) => path) }, findingId, lost);
    }
    case 'taken': {
      const error = new TaskFailedError('finding-taken', `finding ${findingId} exists and belongs to something else`);
      await failHeld(held, taskId, { token: lease, by: worker, error, record: parts.createRecord() });
      await noticeEnd(parts, task);
      throw new LeaseLostError(
        `task ${taskId}: ${error.message}; the task has failed: fleet retry ${taskId} --data FILE`,
      );
    }
    case 'held': // no task of another program is offered to outside workers
    case 'lock-lost':
      await requireMine(parts.db, taskId, lease);
      throw new LeaseLostError(`task ${taskId}: its lease was lost just now`);
  }
}

/** Announces the end of the task's batch if this was its last task. */
export async function noticeEnd({ db, notifier }: OutsideParts, { batch }: Pick<TaskData, 'batch'>): Promise<void> {
  if (typeof batch === 'string') await noticeBatchEnd(db, batch, notifier);
}

/** @returns that the same was recorded before. @throws the given error where the stored finding says something else */
async function repeat(
  { db }: OutsideParts,
  { taskId, result, files = [] }: Pick<ReportOptions, 'taskId' | 'result' | 'files'>,
  findingId: string,
  lost: Error,
): Promise<ReportAnswer> {
  const [text = null] = await readFindingTexts(db, [findingId]);
  const stored = text === null ? null : parseFinding(findingId, text);
  const isSame =
    stored !== null &&
    toStored(db, stored.result) === toStored(db, result) &&
    toStored(db, stored.files_changed) === toStored(db, [...new Set(files)]);
  if (!isSame) throw lost;
  return { recorded: 'already', task_id: taskId, finding_id: findingId };
}

/** JSON as Redis holds it: without secrets. */
function toStored(db: Db, value: unknown): string {
  return db.redact(stringifyExact(value));
}

/** @throws UsageError naming the part of the result that breaks the task's schema */
export async function checkResult({ schema }: TaskData, given: unknown): Promise<unknown> {
  const text = toText(given);
  if (text.length > LONGEST_RESULT) {
    throw new UsageError(`result: expected at most ${LONGEST_RESULT} characters, got ${text.length}`);
  }
  if (schema === undefined) return given;
  const checked = await (await createResultCheck(schema))(text);
  if ('value' in checked) return checked.value;
  const problem = 'problem' in checked ? checked.problem : checked.failure;
  throw new UsageError(`result: it does not fit the task's schema: ${problem}`);
}

/** Only who reports may correct a result: of a program that did the task, a wrong one fails the task. */
function stillHeld(error: unknown): never {
  if (!(error instanceof UsageError)) throw error;
  throw new UsageError(`${error.message}; the lease still holds the task`, { cause: error });
}

/** @throws UsageError for what is no JSON, such as a function or an object that holds itself */
function toText(given: unknown): string {
  if (typeof given === 'string') return given;
  let text: string;
  try {
    text = stringifyExact(given);
  } catch (error) {
    throw new UsageError(`result: cannot be written as JSON (${toMessage(error).split('\n')[0]})`, { cause: error });
  }
  if (text === '') throw new UsageError(`result: expected text or JSON, got a ${typeof given}`);
  if (isTooDeep(text)) throw new UsageError(`result: ${DEEPEST_RULE}`);
  return text;
}

/**
 * A task may cite what it may read: findings of its own memory shard; without one, those that belong to none.
 * @throws UsageError naming the findings that do not exist there
 */
async function requireKnown({ db }: OutsideParts, { shard }: TaskData, ids: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (let from = 0; from < ids.length; from += PAGE) {
    const page = ids.slice(from, from + PAGE);
    const texts = await readFindingTexts(db, page);
    for (const [i, id] of page.entries()) {
      const text = texts[i] ?? null;
      const finding = text === null ? null : parseFinding(id, text);
      if (finding === null || !isOfShard(finding, shard ?? null)) missing.push(id);
    }
  }
  if (missing.length === 0) return [...ids];
  throw new UsageError(
    `citations: there is no finding ${missing.slice(0, 20).join(', ')}; the lease still holds the task`,
  );
}
