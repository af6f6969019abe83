import { setTimeout as sleep } from 'node:timers/promises';
import { countOf } from '../../text/plural.ts';
import { readMissionHead } from '../../coordinator/mission/record.ts';
import { toFailedEnd } from '../../coordinator/mission/shown-state.ts';
import { readPaper, toSectionQueryId, type PaperRecord } from '../../coordinator/paper/record.ts';
import type { ShardReport } from '../../coordinator/paper/types.ts';
import { readBlocker, type Blocker } from '../../jobs/state/blocked.ts';
import type { Db } from '../../redis/db.ts';
import { createPatience } from '../../redis/errors/patience.ts';
import type { Halt } from '../../halt/types.ts';
import { readJob } from '../../jobs/state/states.ts';
import { toQueryIds } from '../../librarian/queries/enqueue.ts';
import type { OpenFleet } from '../../api/open-fleet.ts';

const POLL_MS = 300;

/** How the wait for a paper ended. */
export type PaperEnd =
  | { state: 'done'; text: string }
  | { state: 'failed' | 'cancelled' | 'asks' | 'parked'; problem: string }
  | { state: 'halted'; halt: Halt };

/**
 * Waits until a paper is written, has failed, was cancelled, waits for a person or is held by a halt. Reports each step once.
 * @param print prints one line about the step
 */
export async function followPaper(fleet: OpenFleet, id: string, print: (line: string) => void): Promise<PaperEnd> {
  const { db } = fleet.inner;
  const reporter = createReporter(print);
  const patiently = createPatience(print);
  for (;;) {
    const end = await patiently(look);
    if (end !== null) return end;
    await sleep(POLL_MS);
  }

  async function look(): Promise<PaperEnd | null> {
    const job = await readJob(db, 'missions', id);
    const { state } = job;
    const [mission, paper] = [await readMissionHead(db, id), await readPaper(db, id)];
    if (paper !== null) reporter.report(paper);
    // The text first: it is stored before the mission is done, and neither is ever removed.
    const text = paper?.text ?? null;
    if (text !== null && (state === 'completed' || mission?.state === 'done')) return { state: 'done', text };
    if (job.state === 'failed') return toFailedEnd(mission, job.reason);
    if (job.state === 'unknown') return toFailedEnd(mission, null);
    const blocker = await readBlocker(db, { queue: 'missions', id, state });
    if (blocker?.kind === 'halted') return { state: 'halted', halt: blocker.halt };
    if (blocker?.kind === 'asks' || blocker?.kind === 'parked') {
      return { state: blocker.kind, problem: mission?.problem ?? '' };
    }
    if (mission !== null && mission.problem !== '') reporter.reportWait(mission.problem);
    const question = await readQuestionBlocker(db, toQuestionJob(id, paper));
    if (blocker?.kind === 'waits-for-budget' || question?.kind === 'waits-for-budget') {
      const problem = `its budget is reached; a higher one releases it: fleet budget USD --mission ${id}`;
      return { state: 'parked', problem };
    }
    if (question?.kind === 'waits-for-provider') reporter.reportWait(question.why);
    return null;
  }
}

/** Job id of the question of the first section without a draft. */
function toQuestionJob(id: string, paper: PaperRecord | null): string {
  const index = paper?.outline?.sections.findIndex((_, i) => (paper.drafts[i] ?? null) === null) ?? -1;
  return toQueryIds(toSectionQueryId(id, Math.max(0, index), paper?.tries[`section-${index + 1}`] ?? 0)).jobId;
}

/** What holds up the question that the paper waits for; null: nothing does. */
async function readQuestionBlocker(db: Db, id: string): Promise<Blocker | null> {
  const { state } = await readJob(db, 'archive', id);
  return readBlocker(db, { queue: 'archive', id, state });
}

/** Prints what is new since its last call. */
function createReporter(print: (line: string) => void): {
  report(paper: PaperRecord): void;
  reportWait(reason: string): void;
} {
  const printed = new Set<string>();
  const once = (mark: string, line: string): void => {
    if (printed.has(mark)) return;
    printed.add(mark);
    print(line);
  };
  return {
    report({ shards, outline, drafts, text }) {
      if (shards !== null) {
        for (const [i, line] of describeShards(shards).entries()) once(`shards ${shards.at} ${i}`, line);
      }
      if (outline === null) return;
      const { title, sections } = outline;
      once('outline', `Outline:  ${title} (${countOf(sections.length, 'section')})`);
      for (const [i, draft] of drafts.entries()) {
        if (draft === null) continue;
        once(`draft ${i}`, `Section:  ${i + 1} of ${sections.length}, ${draft.title}: ${SOURCES[draft.kind]}`);
      }
      if (text !== null) once('text', 'Paper:    put together and stored');
    },
    reportWait: (reason) => once(`wait ${reason}`, `Waits:    ${reason}`),
  };
}

/** How a section was written. */
const SOURCES = { archive: 'written', 'by-id': 'written from findings read by id', nothing: 'nothing in the archive' };

/** The working shards in one line, and each failing shard in a line with the provider's message. */
function describeShards({ shards, roundTripMs }: ShardReport): string[] {
  const working = shards.filter(({ ok }) => ok).map(({ shard, left }) => `S${shard} ✅ ${left} left`);
  const failing = shards.filter(({ ok }) => !ok).map(({ shard, problem }) => `S${shard} ❌ ${problem ?? 'no answer'}`);
  return [
    `Redis:    round trip ${roundTripMs} ms`,
    `Shards:   ${working.length === 0 ? 'none works' : working.join(' | ')}`,
    ...failing.map((line) => `          ${line}`),
  ];
}
