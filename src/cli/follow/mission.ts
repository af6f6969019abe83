import { setTimeout as sleep } from 'node:timers/promises';
import { countOf } from '../../text/plural.ts';
import { readMission, readMissionHead } from '../../coordinator/mission/record.ts';
import { describeDone, describeNotDone } from '../../coordinator/mission/describe-done.ts';
import { toFailedEnd } from '../../coordinator/mission/shown-state.ts';
import type { MissionRecord } from '../../coordinator/mission/types.ts';
import { describeAllParked } from '../../coordinator/upkeep/blocked.ts';
import type { Halt } from '../../halt/types.ts';
import { readBlocker, type Blocker } from '../../jobs/state/blocked.ts';
import { readJob } from '../../jobs/state/states.ts';
import { createPatience } from '../../redis/errors/patience.ts';
import { formatSpent } from '../../pricing/free-local.ts';
import type { OpenFleet } from '../../api/open-fleet.ts';
import { lineWidth, fitLine } from '../output/print.ts';
import { showProgress, type Progress } from '../output/progress.ts';

const FIRST_POLL_MS = 50;
const POLL_MS = 400;

/** How the wait for a mission ended. `finding` is null after a dry run. */
export type MissionEndState =
  | { state: 'done'; finding: string | null }
  | { state: 'failed' | 'cancelled' | 'asks' | 'parked'; problem: string }
  | { state: 'planned' }
  | { state: 'halted'; halt: Halt };

/**
 * Waits until a mission is done, has failed, was cancelled, waits for a person or is held by a halt. Reports each step once.
 * @param print prints one line about the step
 */
export async function followMission(
  fleet: OpenFleet,
  id: string,
  print: (line: string) => void,
): Promise<MissionEndState> {
  const { db } = fleet.inner;
  const reporter = createReporter(fleet, id, print);
  try {
    const patiently = createPatience(print);
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(POLL_MS, pollMs * 1.3)) {
      const end = await patiently(look);
      if (end !== null) return end;
      await sleep(pollMs);
    }
  } finally {
    reporter.stop();
  }

  async function look(): Promise<MissionEndState | null> {
    const job = await readJob(db, 'missions', id);
    const jobState = job.state;
    const head = await readMissionHead(db, id);
    if (head !== null) await reporter.report(head);
    if (head?.state === 'done') return { state: 'done', finding: head.finding };
    if (job.state === 'failed') return toFailedEnd(head, job.reason);
    if (job.state === 'unknown') return toFailedEnd(head, null);
    const blocker = await readBlocker(db, { queue: 'missions', id, state: jobState });
    const end = blocker === null ? null : toEnd(blocker, head?.problem ?? '');
    if (end !== null) return end;
    const parked = jobState === 'waiting-children' ? await describeAllParked(db, id) : '';
    return parked === '' ? null : { state: 'parked', problem: parked };
  }
}

/** @returns null where the mission resumes by itself */
function toEnd(blocker: Blocker, problem: string): MissionEndState | null {
  switch (blocker.kind) {
    case 'halted':
      return { state: 'halted', halt: blocker.halt };
    case 'planned':
      return { state: 'planned' };
    case 'asks':
      return { state: 'asks', problem };
    case 'parked':
    case 'waits-for-budget':
      return { state: 'parked', problem: problem.replace(/^parked: /, '') };
    case 'waits-for-provider':
    case 'offered':
    case 'no-worker':
      return null;
  }
}

/** Prints what is new since its last call. */
function createReporter(fleet: OpenFleet, id: string, print: (line: string) => void) {
  const { db } = fleet.inner;
  const { redis, keys } = db;
  const printed = new Set<string>();
  let bar: Progress | null = null;
  const once = (mark: string, line: string): void => {
    if (printed.has(mark)) return;
    printed.add(mark);
    print(fitLine(line, lineWidth()));
  };

  /** Recall, survey and plan are in the whole record, which may be large: it is read until the plan is printed. */
  async function reportBeginning(): Promise<void> {
    if (printed.has('plan')) return;
    const record = await readMission(db, id);
    if (record === null) return;
    if (record.recall !== null) once('recall', `Recall:     ${describeRecall(record.recall)}`);
    if (record.survey !== null) once('survey', `Survey:     ${describeSurvey(record.survey)}`);
    if (record.plan !== null) {
      once('plan', `Plan:       ${countOf(record.counts.total, 'task')}. ${record.plan.approach}`);
    }
  }

  async function readCost(): Promise<string> {
    const [settled, freeLocal] = await redis.hmget(keys.spend(`mission:${id}`), 'settled', 'free_local');
    return formatSpent(Number(settled ?? 0), 4, Number(freeLocal ?? 0));
  }

  return {
    async report(head: MissionRecord): Promise<void> {
      const { step, counts, problem } = head;
      await reportBeginning();
      if (problem !== '' && head.state === 'running') once(`problem ${problem}`, `Blocked:    ${problem}`);
      if (step === 'wait' && counts.total > 0) {
        bar ??= showProgress('Tasks', counts.total, 'done');
        bar.update(counts.done, [...describeNotDone(counts), `${await readCost()} so far`].join(', '));
      }
      if (step === 'synthesise' || step === 'store') {
        bar?.stop();
        const done = [describeDone(counts, `${countOf(counts.total, 'task')} done`), ...describeNotDone(counts)].join(
          ', ',
        );
        once('synthesis', `Synthesis:  ${done}, ${await readCost()} so far`);
      }
    },
    stop: () => bar?.stop(),
  };
}

function describeRecall(recall: NonNullable<MissionRecord['recall']>): string {
  if ('skipped' in recall) return `skipped: ${recall.skipped}`;
  if ('failed' in recall) return `failed: ${recall.failed}`;
  return `${countOf(recall.citations.length, 'source')}: ${recall.answer}`;
}

function describeSurvey(survey: NonNullable<MissionRecord['survey']>): string {
  if ('skipped' in survey) return `skipped: ${survey.skipped}`;
  if ('failed' in survey) return `failed: ${survey.failed}`;
  const { files, total } = survey;
  return files.length < total ? `${files.length} of ${countOf(total, 'file')}` : countOf(total, 'file');
}
