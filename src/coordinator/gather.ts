import { hasArchive, readArchiveRoute } from '../config/model-rows/archive-route.ts';
import { TASK_LIMITS } from '../../queues/tasks.ts';
import { z } from 'zod';
import { catalogOf } from '../pricing/catalog.ts';
import { findVendorProblem } from '../routing/allowed-vendors.ts';
import { NOT_IN_ARCHIVE } from '../librarian/answer/prompt.ts';
import { toLastWords } from './calls/person-words.ts';
import type { Answer } from './calls/types.ts';
import type { Recall, Survey } from './mission/types.ts';
import type { MissionRun } from './step/run.ts';
import { startOf } from '../text/start-of.ts';

/** Longest goal in the recall's question, UTF-16 code units. The rest of a question's length is for the text around it. */
const MOST_GOAL = 14_000;
/** Longest part of a person's answer in the recall's question. */
const MOST_WORDS = 4_000;
/** Longest reason of a failed attempt that the next attempt is given. */
const MOST_FAILURE = 1_000;
/** Files that a model lists by name. More would not fit into its reply; the others are counted. */
const MOST_FILES = 300;

/** For workers of an older version, which give the task to their model. */
const SURVEY_TASK = `List every file of the workspace with its path, relative to the workspace, and its size in bytes where a tool shows it (0 where none does). Use the glob tool with **/*; where its list is cut, ask folder by folder. Read no file and add none. Where there are more than ${MOST_FILES}, name ${MOST_FILES}: those nearest to the top, and some of each folder. total is how many files there are in all, named or not.`;

/** JSON Schema of the survey's result. */
const SURVEY_SCHEMA = {
  type: 'object',
  required: ['total', 'files'],
  properties: {
    total: { type: 'integer' },
    files: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'bytes'],
        properties: { path: { type: 'string' }, bytes: { type: 'number' } },
      },
    },
  },
};

const surveySchema = z.object({
  total: z.int().min(0),
  files: z.array(z.object({ path: z.string().min(1).max(TASK_LIMITS.file), bytes: z.number().catch(0) })),
});

/** Asks the archive what is known about the goal. Skipped if no librarian can answer or the archive is empty. */
export async function recallArchive(
  run: Pick<MissionRun, 'db' | 'config' | 'mission' | 'children' | 'record' | 'job'>,
): Promise<Recall> {
  const { mission, children, config } = run;
  const { redis, keys } = run.db;
  if (!hasArchive(config)) return { skipped: 'no librarian: no shard is configured' };
  const { vendors } = mission;
  const ids = readArchiveRoute(config) ?? [config.FLEET_GEMINI_MODEL, config.FLEET_FALLBACK_MODEL];
  const problems = ids.map((id) => findVendorProblem(catalogOf(config).findPrices(id, run.db.clock.date()), vendors));
  if (problems.every((problem) => problem !== null)) return { skipped: `${problems[0]}, which the workspace forbids` };
  if ((await redis.zcard(keys.index)) === 0) return { skipped: 'the archive is empty' };
  return retrieve(run, 'recall', async (name, failure, answers) => {
    const end = await children.query({
      queryId: `${mission.id}-${name}`,
      question: toQuestion(mission.data.goal, failure) + toLastWords(answers, MOST_WORDS),
      requester: `mission ${mission.id}`.slice(0, 200),
    });
    if (end.state === 'failed') return end;
    const { finding_id: findingId, result, citations } = end.finding;
    const answer = typeof result === 'string' ? result : JSON.stringify(result);
    return { state: 'completed', value: { findingId, answer, citations } };
  });
}

/** What the archive knows, for the planner and the synthesis. Null: nothing. */
export function toKnown(recall: Recall | null): { answer: string; citations: string[] } | null {
  if (recall === null || !('answer' in recall) || recall.answer.startsWith(NOT_IN_ARCHIVE)) return null;
  return { answer: recall.answer, citations: recall.citations };
}

function toQuestion(goal: string, failure: string | null): string {
  const question = `What is already known that bears on this goal? Say what is done and what is decided.\n\nGoal: ${startOf(goal, MOST_GOAL)}`;
  return failure === null
    ? question
    : `${question}\n\nThe last attempt to answer this failed: ${startOf(failure, MOST_FAILURE)}`;
}

/** Has a worker list the files of the workspace, without a model: the coordinator itself reads no files. */
export async function surveyWorkspace(
  run: Pick<MissionRun, 'mission' | 'children' | 'record' | 'job'>,
): Promise<Survey> {
  const { id, data } = run.mission;
  const { workspace } = data;
  if (workspace === undefined) return { skipped: 'the mission has no workspace' };
  return retrieve(run, 'survey', async (name, failure) => {
    const end = await run.children.task({
      taskId: `${id}-${name}`,
      description:
        failure === null ? SURVEY_TASK : `${SURVEY_TASK}\n\nThe last attempt failed: ${startOf(failure, MOST_FAILURE)}`,
      kind: 'search',
      workspace,
      schema: SURVEY_SCHEMA,
      built_in: 'survey',
    });
    if (end.state === 'failed') return end;
    const parsed = surveySchema.safeParse(end.finding.result);
    if (!parsed.success) return { state: 'failed', reason: 'malformed: the listing is no list of files' };
    const { files, total } = parsed.data;
    const value = { findingId: end.finding.finding_id, files, total: Math.max(total, files.length) };
    return { state: 'completed', value };
  });
}

/** How one attempt at a retrieval ended. */
type Retrieved<Value> = { state: 'completed'; value: Value } | { state: 'failed'; reason: string };

/**
 * Runs a retrieval. A failed one is tried once more with the reason; after two failures the mission asks the person. Each
 * release by a person allows two more attempts. Where the person has answered in words, the mission goes on without what these
 * do not find, either: the planner is given the words.
 * @param attempt gets its name (`recall`, `recall-2` …) and why the attempt before failed
 */
async function retrieve<Value>(
  { record, job }: Pick<MissionRun, 'record' | 'job'>,
  name: string,
  attempt: (name: string, failure: string | null, answers: readonly Answer[]) => Promise<Retrieved<Value>>,
): Promise<Value | { failed: string }> {
  const { releases, answers } = await record.read();
  const asked = `the ${name} failed twice`;
  const most = 2 * (releases + 1);
  let failure: string | null = null;
  for (let n = 1; n <= most; n += 1) {
    const ended = await attempt(n === 1 ? name : `${name}-${n}`, failure, answers);
    if (ended.state === 'completed') return ended.value;
    failure = ended.reason;
  }
  if (answers.some(({ problem }) => problem.startsWith(asked))) return { failed: failure ?? '' };
  return job.askPerson(`${asked}: ${failure ?? ''}`);
}
