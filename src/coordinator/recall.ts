import { NOT_IN_ARCHIVE } from '../librarian/answer/prompt.ts';
import type { Recall } from './mission/types.ts';
import type { StepContext } from './step/types.ts';
import { retrieve } from './retrieve.ts';

/** Of a long goal so much is asked about: the rest of a question is for what surrounds it. UTF-16 code units. */
const MOST_GOAL = 15_000;

/**
 * Asks the archive what is already known about the goal. Skipped, saying so, where nobody could answer or nothing is
 * known.
 */
export async function recall(ctx: StepContext): Promise<Recall> {
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
