import { toTaskId } from '../../../queues/ids.ts';
import { toFindingId } from '../../findings/finding.ts';
import { readChildren, type ChildRef, type ChildState } from './children.ts';
import { isCancelled } from '../../jobs/cancelled.ts';
import type { ChildCounts } from './types.ts';
import type { PlanNode } from '../plan/plan.ts';
import type { Db } from '../../redis/db.ts';

/**
 * The state of one task of a plan. `pending`: it waits for others, or was not added to the queue yet. `skipped`: a task
 * that it depends on failed or was skipped.
 */
type NodeState = 'pending' | 'open' | 'done' | 'failed' | 'skipped';

export interface NodeView {
  node: PlanNode;
  jobId: string;
  findingId: string;
  state: NodeState;
  /** Of a failed or skipped task: `word: text`. */
  reason: string;
}

/** Reads the state of all tasks of a plan, in the plan's order. */
export async function readNodes(db: Db, missionId: string, nodes: readonly PlanNode[]): Promise<NodeView[]> {
  const { redis, keys } = db;
  const refs = nodes.map(({ n }) => toNodeRef(missionId, n));
  const [children, added] = await Promise.all([
    readChildren(db, 'tasks', refs),
    redis.getBuffer(keys.missionAdded(missionId)),
  ]);
  const views = new Map<number, NodeView>();
  for (const [i, node] of nodes.entries()) {
    const ref = refs[i];
    const child = children[i];
    if (ref === undefined || child === undefined) continue;
    const dependencies = node.dependsOn.flatMap((n) => views.get(n) ?? []);
    views.set(node.n, { node, ...ref, ...toState(child, isAdded(added, node.n), dependencies) });
  }
  return [...views.values()];
}

/** @param wasAdded whether the task was added to the queue at some time @param dependencies the tasks it depends on */
function toState(
  child: ChildState,
  wasAdded: boolean,
  dependencies: readonly NodeView[],
): Pick<NodeView, 'state' | 'reason'> {
  if (child.state === 'failed') return child;
  if (child.state !== 'absent') return { state: child.state, reason: '' };
  if (wasAdded) return { state: 'failed', reason: 'removed: its job is not there any more' };
  const stopped = dependencies.find(({ state }) => state === 'failed' || state === 'skipped');
  if (stopped === undefined) return { state: 'pending', reason: '' };
  return { state: 'skipped', reason: `skipped: it depends on ${stopped.jobId}, which is ${stopped.state}` };
}

/** The tasks that can be added now: they are not in the queue yet, and all tasks they depend on are done. */
export function findReady(views: readonly NodeView[]): NodeView[] {
  const done = new Set(views.filter(({ state }) => state === 'done').map(({ node }) => node.n));
  return views.filter(({ state, node }) => state === 'pending' && node.dependsOn.every((n) => done.has(n)));
}

export function countNodeStates(views: readonly NodeView[]): ChildCounts {
  const counts: ChildCounts = { total: views.length, added: 0, done: 0, failed: 0, cancelled: 0, skipped: 0 };
  for (const { state, reason } of views) {
    if (state === 'failed' && isCancelled(reason)) counts.cancelled += 1;
    else if (state === 'done' || state === 'failed' || state === 'skipped') counts[state] += 1;
    if (state === 'done' || state === 'failed' || state === 'open') counts.added += 1;
  }
  return counts;
}

function toNodeRef(missionId: string, n: number): ChildRef {
  const jobId = toTaskId(missionId, n);
  return { jobId, findingId: toFindingId(jobId) };
}

/** Reads one bit of a bitmap that SETBIT wrote: bit 0 is the highest bit of the first byte. */
function isAdded(bits: Buffer | null, n: number): boolean {
  return bits !== null && ((bits[n >> 3] ?? 0) & (0x80 >> (n & 7))) !== 0;
}
