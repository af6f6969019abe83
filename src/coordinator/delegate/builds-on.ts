import type { PatchRecord } from '../../patches/types.ts';
import type { Db } from '../../redis/db.ts';
import type { NodeView } from '../mission/nodes.ts';
import { parseRecord } from '../../redis/stored-record.ts';

const PAGE = 200;
/** States of patches that a task can begin with. One that is applied may be missing in the tree where the task works. */
const USED: ReadonlySet<PatchRecord['state']> = new Set(['pending', 'conflict', 'applied']);

/**
 * Finds the patches with which tasks begin: those of the tasks that each depends on, directly or not, in the plan's order.
 * @param tasks of the plan `views`
 * @returns finding ids by the task's number in the plan; a task that begins with none is left out
 */
export async function findBuildsOn(
  db: Db,
  tasks: readonly NodeView[],
  views: readonly NodeView[],
): Promise<Map<number, string[]>> {
  const byNumber = new Map(views.map((view) => [view.node.n, view]));
  const needed = new Map(tasks.map(({ node }) => [node.n, findAncestors(node.dependsOn, byNumber)]));
  const states = await readStates(db, [...new Set([...needed.values()].flat())]);
  const found = new Map<number, string[]>();
  for (const [n, ids] of needed) {
    const used = ids.filter((id) => USED.has(states.get(id) ?? 'empty'));
    if (used.length > 0) found.set(n, used);
  }
  return found;
}

/** Finding ids of all done tasks below, the lowest number first: a task's number is above those of its dependencies. */
function findAncestors(dependsOn: readonly number[], views: ReadonlyMap<number, NodeView>): string[] {
  const seen = new Set(dependsOn);
  for (const n of seen) for (const below of views.get(n)?.node.dependsOn ?? []) seen.add(below); // a set iterates over what is added
  return [...seen]
    .toSorted((a, b) => a - b)
    .flatMap((n) => {
      const view = views.get(n);
      return view?.state === 'done' ? [view.findingId] : [];
    });
}

async function readStates({ redis, keys }: Db, ids: readonly string[]): Promise<Map<string, PatchRecord['state']>> {
  const states = new Map<string, PatchRecord['state']>();
  for (let from = 0; from < ids.length; from += PAGE) {
    const page = ids.slice(from, from + PAGE);
    const texts = await redis.mget(page.map((id) => keys.patch(id)));
    for (const [i, text] of texts.entries()) {
      const record = parseRecord(text) as PatchRecord | null;
      if (record !== null) states.set(page[i] ?? '', record.state);
    }
  }
  return states;
}
