import { toOwner, type Owner } from '../../../queues/owner.ts';
import type { TaskData } from '../../../queues/tasks.ts';
import type { Config } from '../../config/environment.ts';
import { TaskFailedError, UsageError } from '../../errors.ts';
import { parseFinding, toSummary, readFindingTexts } from '../../findings/stored.ts';
import type { TaskFor } from '../../jobs/offer.ts';
import { checkInput } from '../../jobs/check-input.ts';
import { addChildren, readChildren, toDependenciesKey, type ChildParts } from '../mission/children.ts';
import { findReady, readNodes, type NodeView } from '../mission/nodes.ts';
import type { PlanNode } from '../plan/plan.ts';
import { chooseModel } from '../plan/model-choice.ts';
import { intersect, toVendorStamp } from '../../routing/allowed-vendors.ts';
import { findBuildsOn } from './builds-on.ts';
import { formatCount } from '../../text/plural.ts';

export interface DelegateParts extends ChildParts {
  config: Pick<Config, 'FLEET_HAIKU_MODEL' | 'FLEET_SONNET_MODEL' | 'workspaceVendors'>;
}

/** What all tasks of one mission share. */
export interface DelegatedMission extends Owner {
  id: string;
  session: string;
  workspace: string | null;
  topics: readonly string[];
  /** Whether its tasks work in trees of their own, where the workspace is a git repository. */
  isolate: boolean;
  /** Who may take its tasks. Default: the fleet's workers. */
  for?: TaskFor;
  /** Vendors that may see its tasks. Null: all. */
  vendors: readonly string[] | null;
  nodes: readonly PlanNode[];
}

/** Jobs added before they are marked as added. After a crash at most so many are looked up again. */
const CHUNK = 500;
/** Most findings named to a task that builds on them, and characters of all names; the rest is only counted. */
const MOST_NAMED = 200;
const MOST_NAMED_CHARACTERS = 40_000;

/**
 * Adds the tasks that are ready. Makes open tasks children of the mission again if BullMQ would not report their end.
 *
 * Delivery contract: any number of processes may do so at once, and each may die at any line. A job id is the position in
 * the plan, an existing job stays as it is, and a task that is marked as added is never added again.
 * @returns all tasks, with their state afterwards
 */
export async function delegateReady(parts: DelegateParts, mission: DelegatedMission): Promise<NodeView[]> {
  const views = await readNodes(parts.db, mission.id, mission.nodes);
  await tieOpen(parts, mission, views);
  const ready = findReady(views);
  const done = new Map(views.filter(({ state }) => state === 'done').map((view) => [view.node.n, view]));
  for (let from = 0; from < ready.length; from += CHUNK) {
    const chunk = ready.slice(from, from + CHUNK);
    const buildsOn = await readBuildsOn(parts, mission, chunk, views);
    const jobs = await Promise.all(
      chunk.map(async ({ node, jobId }) => {
        const given = { ...(await describeSources(parts, node, done)), buildsOn: buildsOn.get(node.n) };
        return { jobId, data: toTask(node, mission, parts, given) };
      }),
    );
    await addChildren(parts, mission.id, 'tasks', jobs);
    await markAdded(parts, mission.id, chunk);
    for (const view of chunk) view.state = 'open';
  }
  return views;
}

async function markAdded({ db: { redis, keys } }: ChildParts, id: string, chunk: readonly NodeView[]): Promise<void> {
  const chain = redis.pipeline();
  for (const { node } of chunk) chain.setbit(keys.missionAdded(id), node.n, 1);
  for (const [error] of (await chain.exec()) ?? []) if (error) throw error;
}

/**
 * Makes open tasks children of the mission again whose end BullMQ would not report: a failed one that a person retried, or
 * one that a crash left without its parent.
 */
async function tieOpen(parts: DelegateParts, mission: DelegatedMission, views: readonly NodeView[]): Promise<void> {
  const { redis, keys } = parts.db;
  const open = views.filter(({ state }) => state === 'open');
  for (let from = 0; from < open.length; from += CHUNK) {
    const chunk = open.slice(from, from + CHUNK);
    const tied = await redis.smismember(
      toDependenciesKey(keys, mission.id),
      chunk.map(({ jobId }) => keys.queueKey('tasks', jobId)),
    );
    const untied = chunk.filter((_, i) => tied[i] === 0);
    const states = await readChildren(parts.db, 'tasks', untied); // most of them have ended meanwhile
    const stillOpen = untied.filter((_, i) => states[i]?.state === 'open');
    if (stillOpen.length === 0) continue;
    // An existing job keeps its data. This data is used only if the job was removed meanwhile.
    const buildsOn = await readBuildsOn(parts, mission, stillOpen, views);
    const jobs = stillOpen.map(({ node, jobId }) => {
      const given = { sources: '', allowed: null, buildsOn: buildsOn.get(node.n) };
      return { jobId, data: toTask(node, mission, parts, given) };
    });
    await addChildren(parts, mission.id, 'tasks', jobs);
    await markAdded(parts, mission.id, stillOpen);
  }
}

/** @returns what `findBuildsOn` does; nothing where all tasks work in one tree */
async function readBuildsOn(
  { db }: ChildParts,
  { workspace, isolate }: DelegatedMission,
  tasks: readonly NodeView[],
  views: readonly NodeView[],
): Promise<Map<number, string[]>> {
  return workspace === null || !isolate ? new Map() : await findBuildsOn(db, tasks, views);
}

/** What a task is given besides what the plan says of it. */
interface GivenToTask {
  /** Names the findings of the tasks before it. Empty: there are none. */
  sources: string;
  /** The vendors that all of these allow. Null: all vendors. */
  allowed: readonly string[] | null;
  /** Finding ids of the patches that it begins with. */
  buildsOn: string[] | undefined;
}

/** @throws TaskFailedError `malformed` for a task of the plan that breaks a rule of the queue */
function toTask(node: PlanNode, mission: DelegatedMission, { config }: DelegateParts, given: GivenToTask): TaskData {
  const { id, session, workspace, topics, isolate } = mission;
  const { sources, allowed, buildsOn } = given;
  const inWorkspace =
    workspace === null ? {} : { workspace, ...(node.files.length === 0 ? {} : { files: node.files }) };
  const task = {
    description: sources === '' ? node.description : `${node.description}\n\n${sources}`,
    kind: node.kind,
    ...inWorkspace,
    ...(topics.length === 0 ? {} : { topics: [...topics] }),
    ...(isolate ? {} : { isolate }),
    ...((mission.for ?? 'fleet') === 'fleet' ? {} : { for: mission.for }),
    ...chooseModel(node, config),
  };
  try {
    const stamps = {
      session,
      ...toOwner(mission),
      mission_id: id,
      ...toVendorStamp(intersect(mission.vendors, allowed)),
      ...(buildsOn === undefined ? {} : { builds_on: buildsOn }),
    };
    return { ...checkInput('tasks', 'task', task, `task ${node.n} of the plan`), ...stamps };
  } catch (error) {
    if (error instanceof UsageError) throw new TaskFailedError('malformed', error.message, { cause: error });
    throw error;
  }
}

/**
 * Ids and first words of the findings that a task builds on. Its worker reads them with the findings tool, so that the task may go
 * only where all of them may.
 */
async function describeSources(
  { db }: ChildParts,
  node: PlanNode,
  done: ReadonlyMap<number, NodeView>,
): Promise<Pick<GivenToTask, 'sources' | 'allowed'>> {
  const sources = node.dependsOn.flatMap((n) => done.get(n) ?? []);
  if (sources.length === 0) return { sources: '', allowed: null };
  const named = sources.slice(0, MOST_NAMED);
  const texts = await readFindingTexts(
    db,
    named.map(({ findingId }) => findingId),
  );
  const lines: string[] = [];
  let allowed: readonly string[] | null = null;
  let characters = 0;
  for (const [i, { findingId }] of named.entries()) {
    const text = texts[i] ?? null;
    const finding = text === null ? null : parseFinding(findingId, text);
    allowed = intersect(allowed, finding?.vendors ?? null);
    const line = `- ${findingId}: ${finding === null ? '' : toSummary(finding)}`;
    characters += line.length;
    if (characters > MOST_NAMED_CHARACTERS) break;
    lines.push(line);
  }
  const rest = sources.length - lines.length;
  const more = rest === 0 ? '' : `\n- and ${formatCount(rest)} more of this mission`;
  const text = `It builds on these findings; read them with the findings tool and cite them:\n${lines.join('\n')}${more}`;
  return { sources: text, allowed };
}
