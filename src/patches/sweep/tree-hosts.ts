import { z } from 'zod';
import type { Db } from '../../redis/db.ts';
import { countOf } from '../../text/plural.ts';
import type { TreeHost } from '../types.ts';

const treeHostSchema = z.object({
  host: z.string(),
  at: z.number(),
  trees: z.number(),
  bytes: z.number(),
  left: z.number(),
  withWork: z.number(),
  keep: z.number(),
}) satisfies z.ZodType<TreeHost>;

/** A host that has not swept for this long is gone, or has no worker. */
const FORGOTTEN_MS = 24 * 3_600_000;

export async function publishTreeHost({ redis, keys }: Db, state: TreeHost): Promise<void> {
  await redis.hset(keys.treeHosts, state.host, JSON.stringify(state));
}

/** @param records what `keys.treeHosts` holds. @returns the hosts that are up, by name */
export function parseTreeHosts(records: Readonly<Record<string, string>>, nowMs: number): TreeHost[] {
  return Object.values(records)
    .map(parse)
    .filter((state): state is TreeHost => state !== null && nowMs - state.at < FORGOTTEN_MS)
    .toSorted((a, b) => (a.host < b.host ? -1 : 1));
}

/** Whether a host has more trees of ended tasks than it is to keep: it may remove none that holds unsaved work. */
export function isOverBound({ left, keep }: TreeHost): boolean {
  return left > keep;
}

/** `box: 25 trees of ended tasks (bound 20), 3 of them with work that no commit holds`. */
export function describeTrees({ host, left, keep, withWork }: TreeHost): string {
  const work = withWork === 0 ? '' : `, ${withWork} of them with work that no commit holds`;
  return `${host}: ${countOf(left, 'tree')} of ended tasks (bound ${keep})${work}`;
}

function parse(text: string): TreeHost | null {
  try {
    return treeHostSchema.parse(JSON.parse(text));
  } catch {
    return null; // a later version wrote it, or another program
  }
}
