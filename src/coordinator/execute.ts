import { toTaskFor } from '../jobs/offer.ts';
import { toOwner } from '../../queues/owner.ts';
import { countOf } from '../text/plural.ts';
import { TaskFailedError } from '../errors.ts';
import { summarise } from '../findings/stored.ts';
import { readBudget } from '../ledger/budget.ts';
import { formatSpent } from '../pricing/free-local.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { toAnswerId } from './calls/person-words.ts';
import { SYNTHESIS_PROMPT_VERSION, toSynthesisCall, type Synthesis } from './calls/synthesis.ts';
import { readCostSplit, toCostSplitJson } from './delegate/cost-split.ts';
import { delegateReady, type DelegatedMission } from './delegate/delegate.ts';
import { readResults } from './delegate/read-results.ts';
import { toKnown } from './gather.ts';
import { countNodeStates, type NodeView } from './mission/nodes.ts';
import { noteProgress } from './mission/progress-guard.ts';
import { describeDone, describeNotDone } from './mission/describe-done.ts';
import type { Answer } from './calls/types.ts';
import type { MarkedCounts, MissionRecord } from './mission/types.ts';
import { finishMission } from './step/finish.ts';
import type { MissionRun } from './step/run.ts';
import type { MissionEnd, MissionOutcome } from './step/types.ts';
import { startOf } from '../text/start-of.ts';

/** Share of the tasks that must be done if the mission states no quorum. */
const DEFAULT_QUORUM = 0.8;
/** Failures named in a mission's failed reason. */
const NAMED_FAILURES = 5;

/**
 * Turns a stored plan into the mission's finding: delegate → wait → synthesise → store.
 * @param onWaiting called before the mission waits for its tasks
 */
export async function executePlan(
  run: MissionRun,
  onWaiting?: (mission: DelegatedMission) => void,
): Promise<MissionEnd> {
  const record = await run.record.read();
  const views = await workThrough(run, record, onWaiting);
  if (!record.answers.some(({ waivesQuorum }) => waivesQuorum)) assertQuorum(run.mission, views);
  await run.record.patch({ step: 'synthesise' });
  const { counts } = await run.record.read();
  await logCounts(run, counts);
  const synthesis = await synthesise(run, record, views);
  await run.record.patch({ step: 'store' });
  return finishMission(run, await createOutcome(run, { ...record, counts }, synthesis));
}

/** Adds all tasks to the queue as they become ready, and waits until all have ended. */
async function workThrough(
  run: MissionRun,
  record: MissionRecord,
  onWaiting?: (mission: DelegatedMission) => void,
): Promise<NodeView[]> {
  const { id, data, vendors } = run.mission;
  const { session, workspace, nodes } = record;
  const { topics = [], isolate = true } = data;
  const mission: DelegatedMission = {
    id,
    session,
    workspace,
    topics,
    isolate,
    for: toTaskFor(data),
    vendors,
    nodes,
    ...toOwner(data),
  };
  let { round } = record;
  for (;;) {
    const views = await delegateReady(run, mission);
    const counts = countNodeStates(views);
    await run.record.patch({ step: 'wait', counts, added: counts.added, round });
    if (round > 0) {
      await noteProgress(run, {
        missionId: id,
        done: counts.done,
        ended: counts.done + counts.failed + counts.cancelled,
      });
    }
    if (!views.some(({ state }) => state === 'open')) return views;
    if (round === 0) await run.job.log(`delegated: ${countOf(counts.added, 'task')} of ${counts.total}`);
    round += 1;
    await run.record.patch({ round });
    onWaiting?.(mission);
    await run.job.waitForChildren();
  }
}

/** @throws TaskFailedError `quorum` with the reasons and the commands that repair it */
function assertQuorum({ id, data }: MissionRun['mission'], views: readonly NodeView[]): void {
  const { quorum = DEFAULT_QUORUM } = data;
  const counts = countNodeStates(views);
  const needed = Math.ceil(quorum * counts.total - 1e-9); // 0.8 of 10 is 8, not the 9 of a rounding error
  if (counts.done >= needed) return;
  const failures = views.filter(({ state }) => state === 'failed');
  const named = failures.slice(0, NAMED_FAILURES).map((view) => `${view.jobId} (${startOf(view.reason, 120)})`);
  const more = failures.length > named.length ? [`and ${failures.length - named.length} more`] : [];
  throw new TaskFailedError(
    'quorum',
    `${counts.done} of ${counts.total} tasks are done, ${needed} are needed; ${[`${counts.failed} failed`, ...describeNotDone({ ...counts, failed: 0 })].join(', ')}: ${[...named, ...more].join('; ')}. Mend the failed tasks (fleet retry ID), then fleet retry ${id}; or answer in words: fleet resume ${id} --answer "…"`,
  );
}

/** Logs how many tasks are done and what the mission has cost, before it pays for the answer. */
async function logCounts(
  { db, mission, job, now }: Pick<MissionRun, 'db' | 'mission' | 'job' | 'now'>,
  counts: MarkedCounts,
): Promise<void> {
  const { settled, uncertain, freeLocal } = await readBudget(db, { mission: mission.id }, now());
  await job.log(
    `synthesis: ${[describeDone(counts, `${counts.total} tasks done`), ...describeNotDone(counts)].join(', ')}; ${formatSpent(settled + uncertain, 6, freeLocal)} so far`,
  );
}

async function synthesise(
  { db, config, mission, calls }: Pick<MissionRun, 'db' | 'config' | 'mission' | 'calls'>,
  record: MissionRecord,
  views: readonly NodeView[],
): Promise<Synthesis> {
  const known = toKnown(record.recall);
  const { results, withheld } = await readResults(db, views, mission.vendors);
  const failed = views.filter(({ state }) => state === 'failed' || state === 'skipped').map(toFailedLine);
  return calls.ask(
    toSynthesisCall({
      catalog: catalogOf(config),
      model: config.FLEET_COORDINATOR_MODEL,
      effort: config.FLEET_SONNET_EFFORT,
      goal: mission.data.goal,
      results,
      archive: known,
      answers: record.answers,
      failed: [...failed, ...withheld],
    }),
  );
}

async function createOutcome(
  { db, config, mission, calls, now }: Pick<MissionRun, 'db' | 'config' | 'mission' | 'calls' | 'now'>,
  record: MissionRecord,
  synthesis: Synthesis,
): Promise<MissionOutcome> {
  const { FLEET_COORDINATOR_MODEL: model } = config;
  const { toolErrors, ...counts } = record.counts;
  const catalog = catalogOf(config);
  const split = await readCostSplit(
    db,
    { id: mission.id, createdAt: record.createdAt, own: calls.totals() },
    { catalog, sonnet: catalog.findPrices(model, now()) },
  );
  return {
    result: {
      answer: synthesis.answer,
      plan: { approach: record.plan?.approach ?? '', tasks: counts.total },
      ...(record.answers.length === 0 ? {} : { answers: record.answers.map((answer) => toCited(answer, synthesis)) }),
      counts: { ...counts, tool_errors: toolErrors },
      ...toCostSplitJson(split),
    },
    citations: synthesis.citations,
    summary: summarise(synthesis.answer),
    kind: 'mission',
    promptVersion: SYNTHESIS_PROMPT_VERSION,
    model,
  };
}

/** A person's answer as the mission's finding holds it. */
function toCited({ n, at, by, text }: Answer, { answers }: Synthesis) {
  return { id: toAnswerId(n), at, by, text, cited: answers.includes(toAnswerId(n)) };
}

function toFailedLine({ node, reason }: NodeView): string {
  return `${node.task}: ${startOf(node.description.split('\n')[0] ?? '', 200)} (${startOf(reason, 200)})`;
}
