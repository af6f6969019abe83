import type { TaskData } from '../../../queues/tasks.ts';
import { TaskFailedError } from '../../errors.ts';
import { createFinding } from '../../findings/create-finding.ts';
import { NO_MODEL, SURVEY_KIND, type Finding } from '../../findings/finding.ts';
import { findingTaken, lockLost, toRefusalError } from '../../ledger/refusals.ts';
import type { TaskIdentity, TurnLedger } from '../../ledger/types.ts';
import type { ResultCheck } from '../../tasks/schema/result-check.ts';
import { countOf } from '../../text/plural.ts';
import type { CompletedTask } from '../loop/types.ts';
import { surveyWorkspace } from './survey.ts';

/** Version of the listing; the finding states it in place of a prompt's. */
const SURVEY_VERSION = 'survey-1';

interface BuiltInParts {
  ledger: TurnLedger;
  /** Null: the task names none. */
  workspace: { name: string; root: string } | null;
  checkResult: ResultCheck;
  workerId: string;
  now(): Date;
  /** The vendors that may be sent its list. Null: all. */
  vendors: readonly string[] | null;
}

/**
 * Runs a task that needs no model. It costs nothing, and obeys halts, cancellations and parked missions as any other.
 *
 * Delivery contract: the process may die at any line. The next run lists anew; a finding is recorded once.
 * @throws TaskFailedError `workspace`, `schema`, `finding-taken`; the errors of `toRefusalError`; the signal's reason
 */
export async function runBuiltIn(
  run: { identity: TaskIdentity; task: TaskData; signal: AbortSignal },
  parts: BuiltInParts,
): Promise<CompletedTask> {
  const { ledger, workspace, checkResult, workerId, now, vendors } = parts;
  const { task, signal } = run;
  const identity: TaskIdentity = { ...run.identity, model: NO_MODEL.id };
  const toCompleted = (finding: Finding): CompletedTask => {
    return { findingId: identity.findingId, costNanoUsd: 0, finding };
  };
  const stored = await admit(ledger, identity);
  if (stored !== null) return toCompleted(stored);
  if (workspace === null) throw new TaskFailedError('workspace', 'a survey needs a workspace, and the task names none');
  const result = await surveyWorkspace(workspace, signal);
  const checked = await checkResult(JSON.stringify(result), signal);
  if (!('value' in checked)) {
    const problem = 'problem' in checked ? checked.problem : checked.failure;
    throw new TaskFailedError('schema', `the list of files does not fit the task's schema: ${problem}`);
  }
  const endedAt = now().toISOString();
  const listed = result.files.length === result.total ? '' : `, ${result.files.length} of them listed`;
  const summary = `${countOf(result.total, 'file')} in workspace ${workspace.name}${listed}`;
  const finding = createFinding({
    identity,
    workerId,
    storedAt: endedAt,
    task: task.description,
    result,
    summary,
    kind: SURVEY_KIND,
    model: NO_MODEL,
    promptVersion: SURVEY_VERSION,
    topics: task.topics ?? [],
    vendors,
  });
  const log = `${endedAt} survey: ${summary} (no model, ${workerId})`;
  const answer = await ledger.finish(identity, finding, null, { log, progress: null });
  if (answer === 'taken') throw findingTaken(identity.findingId);
  if (answer === 'lock-lost') throw lockLost(identity.jobId);
  return toCompleted(finding);
}

/** Asks the ledger as before a call that costs nothing. @returns the finding that an earlier run has stored; null: none */
async function admit(ledger: TurnLedger, identity: TaskIdentity): Promise<Finding | null> {
  const request = { turn: 0, worstNanoUsd: 0, noCall: true } as const;
  const first = await ledger.begin(identity, { ...request, first: true });
  const answer = first.kind === 'replay' ? await ledger.begin(identity, { ...request, first: false }) : first;
  if (answer.kind === 'done') return JSON.parse(answer.finding) as Finding;
  if (answer.kind === 'replay') return null;
  if (answer.kind !== 'reserved') throw toRefusalError(answer, identity);
  await ledger.closeReservation(identity, answer.reservation, 'release');
  return null;
}
