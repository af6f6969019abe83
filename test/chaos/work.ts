import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskInput } from '../../queues/tasks.ts';
import type { OpenFleet } from '../../src/api/open-fleet.ts';
import { toMissionFindingId } from '../../src/coordinator/mission/id.ts';
import { toFindingId } from '../../src/findings/finding.ts';
import { toQueryIds } from '../../src/librarian/queries/enqueue.ts';
import type { ChaosOptions } from './options.ts';

/** What was asked for, by the id of the job. */
export interface Wanted {
  /** Of tasks, questions and missions, with the id of the finding that each must have. */
  findings: Map<string, string>;
  missions: string[];
}

type Random = (low: number, high: number) => number;

const BATCH = 'chaos';
const RETRY_MS = 200;
/** One task in so many writes a file, the others read one. */
const ONE_WRITES = 5;
/** One question in so many is shown the whole archive, the others the findings of the first tasks. */
const ONE_SEES_ALL = 20;
const TOPIC = 'first';
const FIRST_TASKS = 100;

/** Asks for all the work, again and again until Redis has taken it: each part has an id, so that it is taken once. */
export async function addWork(fleet: OpenFleet, options: ChaosOptions, random: Random): Promise<Wanted> {
  const inputs = Array.from({ length: options.tasks }, (_, i) => toTask(i, random));
  await untilTaken(() => fleet.tasks.addMany(inputs, { batch: BATCH }));
  const findings = new Map(inputs.map((_, i) => [`${BATCH}-${i + 1}`, toFindingId(`${BATCH}-${i + 1}`)]));
  const missions = Array.from({ length: options.missions }, (_, i) => `chaos-mission-${i + 1}`);
  for (const missionId of missions) {
    const goal = `Say what is in here, and that all is done. [[tasks:10]] [[task-latency:200]]`;
    await untilTaken(() => fleet.missions.add({ goal, budget_usd: 50 }, { missionId }));
  }
  for (const missionId of missions) findings.set(missionId, toMissionFindingId(missionId));
  const hasEvidence = async (): Promise<boolean> => (await fleet.findings.get(toFindingId(`${BATCH}-1`))) !== null;
  while (options.questions > 0 && !(await untilTaken(hasEvidence))) await sleep(RETRY_MS);
  for (let i = 1; i <= options.questions; i += 1) {
    const ids = toQueryIds(`chaos-question-${i}`);
    findings.set(ids.jobId, ids.findingId);
    // The whole archive is long at the end.
    const filter = i % ONE_SEES_ALL === 0 ? {} : { filter: { topic: TOPIC } };
    await untilTaken(() => fleet.ask(`What do the notes say about tea? (${i})`, { queryId: ids.queryId, ...filter }));
  }
  return { findings, missions };
}

/** A task of two turns. */
function toTask(i: number, random: Random): TaskInput {
  const latency = `[[latency:${random(50, 600)}]]`;
  const topics = i < FIRST_TASKS ? { topics: [TOPIC] } : {};
  if (i % ONE_WRITES !== 0) {
    return { description: `Describe a.txt [[turns:2]] ${latency}`, workspace: 'site', files: ['a.txt'], ...topics };
  }
  const script = [{ name: 'write', input: { path: `out/${i}.txt`, content: `note ${i}\n` } }];
  return { description: `Write a note ${latency}`, workspace: 'site', data: { script }, ...topics };
}

async function untilTaken<T>(add: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await add();
    } catch (error) {
      if (!/Redis|connection|MISCONF|READONLY|LOADING|closed/i.test(String(error))) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/** The jobs that have not ended, by state. @throws while Redis is away */
export async function countOpen(fleet: OpenFleet): Promise<Record<string, number>> {
  const open: Record<string, number> = {};
  for (const queue of Object.values(fleet.inner.queues)) {
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized', 'waiting-children');
    for (const [state, count] of Object.entries(counts)) open[state] = (open[state] ?? 0) + count;
  }
  return open;
}
