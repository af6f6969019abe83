import { z } from 'zod';
import { NOT_IN_ARCHIVE } from '../librarian/answer/prompt.ts';
import type { Recall, Survey } from './mission/types.ts';
import type { StepContext } from './step/types.ts';

/** How one attempt at a retrieval ended. */
type Retrieved<Value> = { state: 'completed'; value: Value } | { state: 'failed'; reason: string };

/**
 * A retrieval that somebody else does for the coordinator: tried once more with the error, then the mission asks the
 * person; who lets it go on gives it two more.
 * @param attempt told its name (`recall`, `recall-2` …) and why the one before failed
 */
async function retrieve<Value>(
  ctx: StepContext,
  name: string,
  attempt: (name: string, failure: string | null) => Promise<Retrieved<Value>>,
): Promise<Value> {
  const { releases } = await ctx.read();
  const most = 2 * (releases + 1);
  let failure: string | null = null;
  for (let at = 1; at <= most; at += 1) {
    const tried = await attempt(at === 1 ? name : `${name}-${at}`, failure);
    if (tried.state === 'completed') return tried.value;
    failure = tried.reason;
  }
  return ctx.askPerson(`the ${name} failed twice: ${failure ?? ''}`);
}

/** A worker's reply has room for some more; what it leaves out is counted. */
const MOST_FILES = 300;

const DESCRIPTION = `List every file of the workspace with its path, relative to the workspace, and its size in bytes where a tool shows it (0 where none does). Use the glob tool with **/*; where its list is cut, ask folder by folder. Read no file and add none. Where there are more than ${MOST_FILES}, name ${MOST_FILES}: those nearest to the top, and some of each folder. total is how many files there are in all, named or not.`;

/** What the task's result must be, for the worker. */
const SCHEMA = {
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

const resultSchema = z.object({
  total: z.int().min(0),
  files: z.array(z.object({ path: z.string().min(1).max(4_096), bytes: z.number().catch(0) })),
});

/** Has a worker list the workspace: the coordinator reads no files itself. */
export async function surveyWorkspace(ctx: StepContext): Promise<Survey> {
  const { id, data } = ctx;
  const { workspace } = data;
  if (workspace === undefined) return { skipped: 'the mission has no workspace' };
  return retrieve(ctx, 'survey', async (name, failure) => {
    const end = await ctx.task({
      taskId: `${id}-${name}`,
      description:
        failure === null ? DESCRIPTION : `${DESCRIPTION}\n\nThe last attempt failed: ${failure.slice(0, 1_000)}`,
      kind: 'search',
      workspace,
      schema: SCHEMA,
    });
    if (end.state === 'failed') return end;
    const parsed = resultSchema.safeParse(end.finding.result);
    if (!parsed.success) return { state: 'failed', reason: 'malformed: the listing is no list of files' };
    const { files, total } = parsed.data;
    const value = { findingId: end.finding.finding_id, files, total: Math.max(total, files.length) };
    return { state: 'completed', value };
  });
}

/** Of a long goal so much is asked about: the rest of a question is for what surrounds it. UTF-16 code units. */
const MOST_GOAL = 15_000;

/**
 * Asks the archive what is already known about the goal. Skipped, saying so, where nobody could answer or nothing is
 * known.
 */
export async function recallArchive(ctx: StepContext): Promise<Recall> {
  const { id, data, config } = ctx;
  const { redis, keys } = ctx.db;
  if (config.shards.length === 0) return { skipped: 'no librarian: no shard is configured' };
  if ((await redis.zcard(keys.index)) === 0) return { skipped: 'the archive is empty' };
  return retrieve(ctx, 'recall', async (name, failure) => {
    const end = await ctx.query({
      queryId: `${id}-${name}`,
      question: toQuestion(data.goal, failure),
      requester: `mission ${id}`.slice(0, 200),
    });
    if (end.state === 'failed') return end;
    const { finding_id: findingId, result, citations } = end.finding;
    const answer = typeof result === 'string' ? result : JSON.stringify(result);
    return { state: 'completed', value: { findingId, answer, citations } };
  });
}

/** What the planner is told of it; null: nothing is known. */
export function toKnown(found: Recall | null): { answer: string; citations: string[] } | null {
  if (found === null || !('answer' in found) || found.answer.startsWith(NOT_IN_ARCHIVE)) return null;
  return { answer: found.answer, citations: found.citations };
}

function toQuestion(goal: string, failure: string | null): string {
  const asked = `What is already known that bears on this goal? Say what is done and what is decided.\n\nGoal: ${goal.slice(0, MOST_GOAL)}`;
  return failure === null ? asked : `${asked}\n\nThe last attempt to answer this failed: ${failure.slice(0, 1_000)}`;
}
