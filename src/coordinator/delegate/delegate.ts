import { taskInputSchema, type TaskData } from '../../../queues/tasks.ts';
import type { Config } from '../../config/environment.ts';
import { TaskFailedError } from '../../errors.ts';
import { parseFinding, toSummary, readFindingTexts } from '../../findings/stored.ts';
import { toRules } from '../../jobs/contract.ts';
import { addChildren, readChildren, toDependenciesKey, type ChildParts } from '../mission/children.ts';
import { findReady, readNodes, type NodeView } from '../mission/nodes.ts';
import type { PlanNode } from '../plan/plan.ts';
import { chooseModel } from '../plan/model-choice.ts';

export interface DelegateParts extends ChildParts {
  config: Pick<Config, 'FLEET_HAIKU_MODEL' | 'FLEET_SONNET_MODEL'>;
}

/** What all tasks of one mission share. */
export interface DelegatedMission {
  id: string;
  session: string;
  workspace: string | null;
  topics: readonly string[];
  nodes: readonly PlanNode[];
}

/** Jobs put into the queue before what was added is noted: a killed coordinator looks so many up again. */
const CHUNK = 500;
/** Findings that a task is told it builds on, and characters of them all; of the rest it is given the number. */
const MOST_NAMED = 200;
const MOST_NAMED_CHARACTERS = 40_000;

/**
 * Puts those tasks into the queue whose turn it is, and ties to the mission those that run without it knowing (a person
 * retried them). Any number of processes may do it at once, and any of them may die at any line: ids are the plan's
 * positions, a job that is there stays as it is, and what was noted as added is never added again.
 * @returns all tasks, as they stand afterwards
 */
export async function delegateReady(parts: DelegateParts, mission: DelegatedMission): Promise<NodeView[]> {
  const views = await readNodes(parts.db, mission.id, mission.nodes);
  await tieLoose(parts, mission, views);
  const ready = findReady(views);
  const done = new Map(views.filter(({ state }) => state === 'done').map((view) => [view.node.n, view]));
  for (let from = 0; from < ready.length; from += CHUNK) {
    const chunk = ready.slice(from, from + CHUNK);
    const jobs = await Promise.all(
      chunk.map(async ({ node, jobId }) => ({
        jobId,
        data: toTask(node, mission, parts, await describeFoundation(parts, node, done)),
      })),
    );
    await addChildren(parts, mission.id, 'tasks', jobs);
    await noteAdded(parts, mission.id, chunk);
    for (const view of chunk) view.state = 'open';
  }
  return views;
}

async function noteAdded({ db: { redis, keys } }: ChildParts, id: string, chunk: readonly NodeView[]): Promise<void> {
  const chain = redis.pipeline();
  for (const { node } of chunk) chain.setbit(keys.missionAdded(id), node.n, 1);
  for (const [error] of (await chain.exec()) ?? []) if (error) throw error;
}

/** Open tasks whose end BullMQ would not tell the mission: a failed one that a person has retried, or one whose tie a crash lost. */
async function tieLoose(parts: DelegateParts, mission: DelegatedMission, views: readonly NodeView[]): Promise<void> {
  const { redis, keys } = parts.db;
  const open = views.filter(({ state }) => state === 'open');
  for (let from = 0; from < open.length; from += CHUNK) {
    const chunk = open.slice(from, from + CHUNK);
    const tied = await redis.smismember(
      toDependenciesKey(keys, mission.id),
      chunk.map(({ jobId }) => keys.queueKey('tasks', jobId)),
    );
    const untied = chunk.filter((_, at) => tied[at] === 0);
    const now = await readChildren(parts.db, 'tasks', untied); // most of these have ended meanwhile
    const loose = untied.filter((_, at) => now[at]?.state === 'open');
    if (loose.length === 0) continue;
    // Theirs is the data of the job that is there; what is given here counts only where it vanished meanwhile.
    const jobs = loose.map(({ node, jobId }) => ({ jobId, data: toTask(node, mission, parts, '') }));
    await addChildren(parts, mission.id, 'tasks', jobs);
    await noteAdded(parts, mission.id, loose);
  }
}

/** @throws TaskFailedError `malformed` for a task of the plan that breaks a rule of the queue */
function toTask(node: PlanNode, mission: DelegatedMission, { config }: DelegateParts, foundation: string): TaskData {
  const { id, session, workspace, topics } = mission;
  const inWorkspace =
    workspace === null ? {} : { workspace, ...(node.files.length === 0 ? {} : { files: node.files }) };
  const model = chooseModel(node, config);
  const parsed = taskInputSchema.safeParse({
    description: foundation === '' ? node.description : `${node.description}\n\n${foundation}`,
    kind: node.kind,
    ...inWorkspace,
    ...(topics.length === 0 ? {} : { topics: [...topics] }),
    ...(model === config.FLEET_HAIKU_MODEL ? {} : { model }),
  });
  if (!parsed.success) throw new TaskFailedError('malformed', `task ${node.n} of the plan: ${toRules(parsed.error)}`);
  return { ...parsed.data, session, mission_id: id };
}

/** What a task builds on: ids and first words of the findings, which its worker reads with its own tool. */
async function describeFoundation(
  { db }: ChildParts,
  node: PlanNode,
  done: ReadonlyMap<number, NodeView>,
): Promise<string> {
  const sources = node.dependsOn.flatMap((n) => done.get(n) ?? []);
  if (sources.length === 0) return '';
  const named = sources.slice(0, MOST_NAMED);
  const texts = await readFindingTexts(
    db,
    named.map(({ findingId }) => findingId),
  );
  const lines: string[] = [];
  let characters = 0;
  for (const [at, { findingId }] of named.entries()) {
    const text = texts[at] ?? null;
    const finding = text === null ? null : parseFinding(findingId, text);
    const line = `- ${findingId}: ${finding === null ? '' : toSummary(finding)}`;
    characters += line.length;
    if (characters > MOST_NAMED_CHARACTERS) break;
    lines.push(line);
  }
  const rest = sources.length - lines.length;
  const more = rest === 0 ? '' : `\n- and ${rest.toLocaleString('en-US')} more of this mission`;
  return `It builds on these findings; read them with the findings tool and cite them:\n${lines.join('\n')}${more}`;
}
