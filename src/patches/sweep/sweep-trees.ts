import type { Db } from '../../redis/db.ts';
import { readPatch } from '../record.ts';
import { listTrees } from '../task-tree/list-trees.ts';
import type { TaskTree } from '../task-tree/types.ts';
import type { TreeHost } from '../types.ts';
import type { LeftTree } from './clear-tree.ts';
import { removeHalfMade } from './half-made.ts';
import { removeLeftScratch } from '../../git/scratch.ts';
import { publishTreeHost } from './tree-hosts.ts';

/** A checkout takes at most ten minutes a step. */
const HALF_MADE_MS = 30 * 60_000;
/** A task that no queue knows (`fleet single`), or of another Redis, has ended after this. */
const UNKNOWN_MS = 24 * 3_600_000;
/** A tree that held work is looked at again after this: each look reads the whole tree. */
const LOOK_AGAIN_MS = 10 * 60_000;

export interface SweepParts {
  db: Db;
  /** See `toWorktreesFolder`. */
  worktrees: string;
  host: string;
  /** Trees of patches that wait that stay. */
  keep: number;
  /** Whether a path has the name of a secret. */
  isGuarded(path: string): boolean;
  now(): number;
}

/** What a tree is there for: `used` by its task; its patch `waits` for a person; nothing any more (`done`). */
type Use = { kind: 'used' } | ({ kind: 'waits' | 'done' } & LeftTree);

/**
 * Returns the sweep of a host's trees. It removes trees of patches that are applied, discarded or empty, and of the patches that
 * wait the oldest beyond the bound; never one that holds something that no commit holds. Then it publishes what is left.
 */
export function createTreeSweep(parts: SweepParts): (signal: AbortSignal) => Promise<TreeHost> {
  const { db, worktrees, host, keep, now } = parts;
  const hadWork = new Map<string, number>();
  return async (signal) => {
    await removeHalfMade(worktrees, HALF_MADE_MS);
    await removeLeftScratch();
    const trees = await listTrees(worktrees);
    const uses = await Promise.all(trees.map(async (tree) => ({ tree, use: await findUse(tree, parts) })));
    const waiting = uses.filter(({ use }) => use.kind === 'waits').toSorted((a, b) => toAge(b.tree) - toAge(a.tree));
    const kept = new Set(waiting.slice(0, keep).map(({ tree }) => tree.folder));
    const state: TreeHost = { host, at: db.clock.now(), trees: 0, bytes: 0, left: 0, withWork: 0, keep };
    for (const { tree, use } of uses) {
      signal.throwIfAborted();
      const isSurplus = use.kind !== 'used' && !kept.has(tree.folder);
      const known = hadWork.get(tree.folder) ?? -Infinity;
      if (use.kind !== 'used' && isSurplus && now() - known > LOOK_AGAIN_MS) {
        const { clearTree } = await import('./clear-tree.ts'); // most hosts have no tree to remove
        const end = await clearTree(tree, use, parts, signal).catch(() => {
          signal.throwIfAborted();
          return 'unsure' as const; // another git was at work in it: the next sweep looks again
        });
        if (end === 'gone') continue;
        if (end === 'holds-work') hadWork.set(tree.folder, now());
      }
      state.trees += 1;
      state.bytes += tree.info.bytes;
      if (use.kind !== 'used') state.left += 1;
      if (isSurplus) state.withWork += 1;
    }
    for (const folder of hadWork.keys()) if (!trees.some((tree) => tree.folder === folder)) hadWork.delete(folder);
    await publishTreeHost(db, state);
    return state;
  };
}

async function findUse({ info }: TaskTree, { db, now }: SweepParts): Promise<Use> {
  const record = await readPatch(db, info.finding);
  const commit = info.heads.at(-1) ?? info.base;
  if (record !== null && record.head === commit && record.base === info.base) {
    const isOpen = record.state === 'pending' || record.state === 'conflict';
    return { kind: isOpen ? 'waits' : 'done', record, commit };
  }
  const { redis, keys } = db;
  const isOver = record !== null && (await redis.exists(keys.finding(info.finding))) === 1;
  const hasJob = !isOver && (await redis.exists(keys.queueKey('tasks', info.task))) === 1;
  const isUnknown = !isOver && !hasJob && now() - Date.parse(info.madeAt) > UNKNOWN_MS;
  return isOver || isUnknown ? { kind: 'done', record: null, commit } : { kind: 'used' };
}

function toAge({ info }: TaskTree): number {
  return Date.parse(info.madeAt);
}
