import { countOf } from '../text/plural.ts';
import { TaskFailedError } from '../errors.ts';
import { summarise } from '../findings/stored.ts';
import { noteRound } from './mission/progress-guard.ts';
import { readBudget } from '../ledger/budget.ts';
import { formatUsd } from '../pricing/money.ts';
import { findPrices } from '../pricing/catalog.ts';
import { delegateReady, type DelegatedMission } from './delegate/delegate.ts';
import { countNodeStates, type NodeView } from './mission/nodes.ts';
import type { MissionRecord } from './mission/types.ts';
import type { ChildCounts } from './mission/types.ts';
import { readResults } from './delegate/read-results.ts';
import { toKnown } from './gather.ts';
import { readCostSplit, toCostSplitJson } from './delegate/cost-split.ts';
import type { MissionEnd, StepContext } from './step/types.ts';
import { SYNTHESIS_PROMPT_VERSION, toSynthesisCall } from './calls/synthesis.ts';

/** Share of the tasks that must be done where the mission says nothing else. */
const DEFAULT_QUORUM = 0.8;
/** Failures named in a mission's failed reason. */
const NAMED_FAILURES = 5;

/** From a plan to the finding: delegate → wait → synthesise → store. */
export async function executePlan(
  ctx: StepContext,
  onWaiting?: (mission: DelegatedMission) => void,
): Promise<MissionEnd> {
  const record = await ctx.read();
  const views = await workThrough(ctx, record, onWaiting);
  assertQuorum(ctx, views);
  await ctx.record({ step: 'synthesise' });
  await ctx.note(await describeStanding(ctx, countNodeStates(views)));
  const known = toKnown(record.recall);
  const { FLEET_SONNET_MODEL: model } = ctx.config;
  const synthesis = await ctx.askStructured(
    toSynthesisCall({
      model,
      goal: ctx.data.goal,
      results: await readResults(ctx.db, views),
      archive: known,
      failed: views.filter(({ state }) => state === 'failed' || state === 'skipped').map(toFailedLine),
    }),
  );
  await ctx.record({ step: 'store' });
  const counts = countNodeStates(views);
  const shares = await readCostSplit(
    ctx.db,
    { id: ctx.id, createdAt: record.createdAt, own: ctx.totals() },
    findPrices(model, ctx.now()),
  );
  return ctx.store({
    result: {
      answer: synthesis.answer,
      plan: { approach: record.plan?.approach ?? '', tasks: counts.total },
      counts,
      ...toCostSplitJson(shares),
    },
    citations: synthesis.citations,
    summary: summarise(synthesis.answer),
    kind: 'mission',
    promptVersion: SYNTHESIS_PROMPT_VERSION,
    model,
  });
}

/** What a person who looks at the log wants to know before the answer is paid for. */
async function describeStanding(ctx: StepContext, { done, total, failed, skipped }: ChildCounts): Promise<string> {
  const { settled, uncertain } = await readBudget(ctx.db, { mission: ctx.id }, ctx.now());
  return `synthesis: ${done} of ${total} tasks done, ${failed} failed, ${skipped} skipped; ${formatUsd(settled + uncertain, 6)} so far`;
}

/** Puts all tasks into the queue as their turn comes, and waits for their ends. */
async function workThrough(
  ctx: StepContext,
  record: MissionRecord,
  onWaiting?: (mission: DelegatedMission) => void,
): Promise<NodeView[]> {
  const mission = toDelegated(ctx.id, record, ctx.data.topics ?? []);
  let { round } = record;
  for (;;) {
    const views = await delegateReady(ctx, mission);
    const counts = countNodeStates(views);
    await ctx.record({ step: 'wait', counts, added: counts.added, round });
    if (round > 0) await noteRoundOf(ctx, counts.done, counts.done + counts.failed);
    if (!views.some(({ state }) => state === 'open')) return views;
    if (round === 0) await ctx.note(`delegated: ${countOf(counts.added, 'task')} of ${counts.total}`);
    round += 1;
    await ctx.record({ round });
    onWaiting?.(mission);
    await ctx.waitForChildren();
  }
}

/** What its tasks need to know of a mission. */
function toDelegated(
  id: string,
  record: Pick<MissionRecord, 'session' | 'workspace' | 'nodes'>,
  topics: readonly string[],
): DelegatedMission {
  return { id, session: record.session, workspace: record.workspace, topics, nodes: record.nodes };
}

async function noteRoundOf(ctx: StepContext, done: number, ended: number): Promise<void> {
  const before = Number((await ctx.db.redis.hget(ctx.db.keys.mission(ctx.id), 'round_done')) ?? 0);
  await ctx.db.redis.hset(ctx.db.keys.mission(ctx.id), 'round_done', done);
  await noteRound(ctx, { missionId: ctx.id, newFindings: done - before, ended });
}

/** @throws TaskFailedError `quorum` with the reasons and what to do */
function assertQuorum(ctx: StepContext, views: readonly NodeView[]): void {
  const { quorum = DEFAULT_QUORUM } = ctx.data;
  const counts = countNodeStates(views);
  const needed = Math.ceil(quorum * counts.total - 1e-9); // 0.8 of 10 is 8, not the 9 of a rounding error
  if (counts.done >= needed) return;
  const failures = views.filter(({ state }) => state === 'failed');
  const named = failures.slice(0, NAMED_FAILURES).map((view) => `${view.jobId} (${view.reason.slice(0, 120)})`);
  const more = failures.length > named.length ? [`and ${failures.length - named.length} more`] : [];
  throw new TaskFailedError(
    'quorum',
    `${counts.done} of ${counts.total} tasks are done, ${needed} are needed; ${counts.failed} failed, ${counts.skipped} skipped: ${[...named, ...more].join('; ')}. Mend the failed tasks (fleet retry ID), then fleet retry ${ctx.id}`,
  );
}

function toFailedLine({ node, reason }: NodeView): string {
  return `${node.task}: ${node.description.split('\n')[0]?.slice(0, 200) ?? ''} (${reason.slice(0, 200)})`;
}
