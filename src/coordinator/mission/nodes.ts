import { toFindingId } from '../../findings/finding.ts';
import { readChildren, type ChildRef } from './children.ts';
import type { ChildCounts } from './types.ts';
import type { PlanNode } from '../plan/plan.ts';
import type { Db } from '../../redis/db.ts';

/**
 * Where one task of a plan is. `pending`: it waits for others, or has not been put into the queue. `skipped`: one it
 * depends on has not been done and cannot be.
 */
type NodeState = 'pending' | 'open' | 'done' | 'failed' | 'skipped';

export interface NodeView {
  node: PlanNode;
  jobId: string;
  findingId: string;
  state: NodeState;
  /** Of a failed or skipped one: `word: text`. */
  reason: string;
}

/** All tasks of a plan as they stand, in the plan's order. */
export async function readNodes(db: Db, missionId: string, nodes: readonly PlanNode[]): Promise<NodeView[]> {
  const { redis, keys } = db;
  const refs = nodes.map(({ n }) => toNodeRef(missionId, n));
  const [children, added] = await Promise.all([
    readChildren(db, 'tasks', refs),
    redis.getBuffer(keys.missionAdded(missionId)),
  ]);
  const views = new Map<number, NodeView>();
  for (const [at, node] of nodes.entries()) {
    const ref = refs[at];
    const child = children[at];
    if (ref === undefined || child === undefined) continue;
    const view: NodeView = { node, ...ref, state: 'pending', reason: '' };
    if (child.state === 'failed') Object.assign(view, child);
    else if (child.state !== 'absent') view.state = child.state;
    else if (isAdded(added, node.n))
      Object.assign(view, { state: 'failed', reason: 'removed: its job is not there any more' });
    else {
      const stopped = node.dependsOn.map((n) => views.get(n)).find((other) => other !== undefined && cannotCome(other));
      if (stopped !== undefined) {
        Object.assign(view, {
          state: 'skipped',
          reason: `skipped: it depends on ${stopped.jobId}, which is ${stopped.state}`,
        });
      }
    }
    views.set(node.n, view);
  }
  return [...views.values()];
}

/** Those whose turn it is: not in the queue yet, and all they depend on is done. */
export function findReady(views: readonly NodeView[]): NodeView[] {
  const done = new Set(views.filter(({ state }) => state === 'done').map(({ node }) => node.n));
  return views.filter(({ state, node }) => state === 'pending' && node.dependsOn.every((n) => done.has(n)));
}

export function countNodeStates(views: readonly NodeView[]): ChildCounts {
  const counts: ChildCounts = { total: views.length, added: 0, done: 0, failed: 0, skipped: 0 };
  for (const { state } of views) {
    if (state === 'done' || state === 'failed' || state === 'skipped') counts[state] += 1;
    if (state === 'done' || state === 'failed' || state === 'open') counts.added += 1;
  }
  return counts;
}

function toNodeRef(missionId: string, n: number): ChildRef {
  const jobId = `${missionId}-${n}`;
  return { jobId, findingId: toFindingId(jobId) };
}

function cannotCome({ state }: NodeView): boolean {
  return state === 'failed' || state === 'skipped';
}

/** A bitmap as SETBIT writes it: the first bit is the highest of the first byte. */
function isAdded(bits: Buffer | null, n: number): boolean {
  return bits !== null && ((bits[n >> 3] ?? 0) & (0x80 >> (n & 7))) !== 0;
}
