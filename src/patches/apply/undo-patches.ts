import { readCarried } from '../carriers.ts';
import { requirePatch, toApplyOrder } from '../select.ts';
import type { PatchRecord, StateMark } from '../types.ts';
import type { PatchHost } from '../patch-host.ts';
import { carryOut, workInTrees } from './in-tree.ts';
import { describePlan } from './outcome.ts';
import { findDirty } from './person/find-dirty.ts';
import { openScratchGit } from './person/scratch.ts';
import { planUndo } from './plan/plan-undo.ts';
import type { PatchReport } from './types.ts';

/**
 * Takes applied patches back, by one commit each. A patch stays applied where a later commit, or a change of the person's, touches its
 * paths.
 * @param ids of findings or tasks
 * @throws NotFoundError; RedisUnusableError
 */
export async function undoPatches(
  host: PatchHost,
  ids: readonly string[],
  signal: AbortSignal = new AbortController().signal,
): Promise<PatchReport> {
  const records = await Promise.all([...new Set(ids)].map((id) => requirePatch(host.db, id)));
  const toTime = ({ applied }: PatchRecord): string => applied?.at ?? '';
  const oldestFirst = toApplyOrder(records).toSorted((a, b) => toTime(a).localeCompare(toTime(b)));
  return await workInTrees(oldestFirst.toReversed(), {
    host,
    signal,
    dryRun: false,
    movesHead: true,
    run: async ({ records: own, tree, scratch }) => {
      const plan = await planUndo(own, {
        git: await openScratchGit(tree, scratch, signal),
        onto: tree.head.commit,
        committer: tree.committer,
        findBlocked: (changes) => findDirty(tree, scratch, changes, signal),
      });
      const at = host.db.clock.date().toISOString();
      const carried = await Promise.all(plan.planned.map(({ record }) => findCarried(host, record)));
      const marks = [
        ...plan.planned.map(({ record: { findingId }, commit }): StateMark => {
          return { findingId, state: 'discarded', undone: { commit, at } };
        }),
        ...carried.flat(),
      ];
      const reason = `fleet undo: ${plan.planned.length === 1 ? 'one patch' : `${plan.planned.length} patches`}`;
      const notes = marks.length === 0 ? [] : await carryOut(host, tree, scratch, plan, { reason, marks });
      return { patches: describePlan(own, plan, 'undone'), notes };
    },
  });
}

/** Patches that came with another one wait for a person again. */
async function findCarried({ db }: PatchHost, record: PatchRecord): Promise<StateMark[]> {
  const carried = await readCarried(db, record);
  return carried
    .filter(({ state, applied }) => state === 'applied' && applied?.commit === record.applied?.commit)
    .map(({ findingId }) => ({ findingId, state: 'pending', applied: null }));
}
