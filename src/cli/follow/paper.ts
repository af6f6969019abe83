import { setTimeout as sleep } from 'node:timers/promises';
import { countOf } from '../../text/plural.ts';
import { readMissionHead } from '../../coordinator/mission/record.ts';
import { readPaper, toSectionQueryId, type PaperRecord } from '../../coordinator/paper/record.ts';
import type { ShardReport } from '../../coordinator/paper/types.ts';
import { readBlocker, type Blocker } from '../../jobs/state/blocked.ts';
import type { Db } from '../../redis/db.ts';
import type { Halt } from '../../halt/halt-shape.ts';
import { readJob } from '../../jobs/state/states.ts';
import { toQueryIds } from '../../librarian/queries/enqueue.ts';
import type { OpenFleet } from '../../api/open-fleet.ts';

const POLL_MS = 300;

/** How a paper that was waited for stands at last. */
export type PaperEnd =
  | { state: 'done'; text: string }
  | { state: 'failed' | 'asks' | 'parked'; problem: string }
  | { state: 'halted'; halt: Halt };

/**
 * Waits until a paper is written, stands, or cannot go on because the fleet is halted. Says each step once.
 * @param say a line about what is done now
 */
export async function followPaper(fleet: OpenFleet, id: string, say: (line: string) => void): Promise<PaperEnd> {
  const { db } = fleet.inner;
  const teller = createTeller(say);
  for (;;) {
    const job = await readJob(db, 'missions', id);
    const { state } = job;
    const [mission, paper] = [await readMissionHead(db, id), await readPaper(db, id)];
    if (paper !== null) teller.tell(paper);
    // The text first: it is there before the mission is done, and both are there for good.
    const text = paper?.text ?? null;
    if (text !== null && (state === 'completed' || mission?.state === 'done')) return { state: 'done', text };
    if (job.state === 'failed') return { state: 'failed', problem: mission?.problem || job.reason };
    if (state === 'unknown') return { state: 'failed', problem: mission?.problem || 'there is no job of it' };
    const blocker = await readBlocker(db, { queue: 'missions', id, state });
    if (blocker?.kind === 'halted') return { state: 'halted', halt: blocker.halt };
    if (blocker?.kind === 'asks' || blocker?.kind === 'parked') {
      return { state: blocker.kind, problem: mission?.problem ?? '' };
    }
    if (mission !== null && mission.problem !== '') teller.wait(mission.problem);
    const question = await readQuestionBlocker(db, toQuestionJob(id, paper));
    if (blocker?.kind === 'waits-for-budget' || question?.kind === 'waits-for-budget') {
      const problem = `its budget is reached; a higher one releases it: fleet budget USD --mission ${id}`;
      return { state: 'parked', problem };
    }
    if (question?.kind === 'waits-for-provider') teller.wait(question.why);
    await sleep(POLL_MS);
  }
}

/** Job id of the question that the paper asks now, if it asks one. */
function toQuestionJob(id: string, paper: PaperRecord | null): string {
  const at = paper?.outline?.sections.findIndex((_, section) => (paper.drafts[section] ?? null) === null) ?? -1;
  return toQueryIds(toSectionQueryId(id, Math.max(0, at), paper?.tries[`section-${at + 1}`] ?? 0)).jobId;
}

async function readQuestionBlocker(db: Db, id: string): Promise<Blocker | null> {
  const { state } = await readJob(db, 'archive', id);
  return readBlocker(db, { queue: 'archive', id, state });
}

/** Says what is new since it was last called. */
function createTeller(say: (line: string) => void): { tell(paper: PaperRecord): void; wait(why: string): void } {
  const said = new Set<string>();
  const once = (mark: string, line: string): void => {
    if (said.has(mark)) return;
    said.add(mark);
    say(line);
  };
  return {
    tell({ shards, outline, drafts, text }) {
      if (shards !== null) {
        for (const [at, line] of describeShards(shards).entries()) once(`shards ${shards.at} ${at}`, line);
      }
      if (outline === null) return;
      const { title, sections } = outline;
      once('outline', `Outline:  ${title} (${countOf(sections.length, 'section')})`);
      for (const [at, draft] of drafts.entries()) {
        if (draft === null) continue;
        once(`draft ${at}`, `Section:  ${at + 1} of ${sections.length}, ${draft.title}: ${FROM[draft.kind]}`);
      }
      if (text !== null) once('text', 'Paper:    put together and stored');
    },
    wait: (why) => once(`wait ${why}`, `Waits:    ${why}`),
  };
}

const FROM = { archive: 'written', 'by-id': 'written from findings read by id', nothing: 'nothing in the archive' };

/** The shards that work on one line, each of the others with the provider's words. */
function describeShards({ shards, roundTripMs }: ShardReport): string[] {
  const working = shards.filter(({ ok }) => ok).map(({ shard, left }) => `S${shard} ✅ ${left} left`);
  const failing = shards.filter(({ ok }) => !ok).map(({ shard, problem }) => `S${shard} ❌ ${problem ?? 'no answer'}`);
  return [
    `Redis:    round trip ${roundTripMs} ms`,
    `Shards:   ${working.length === 0 ? 'none works' : working.join(' | ')}`,
    ...failing.map((line) => `          ${line}`),
  ];
}
