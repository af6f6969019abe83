import type { Db } from '../../src/redis/db.ts';
import { toTaskId } from '../../src/rules/fire.ts';

/** Findings that the page names of a rule. */
const NEWEST = 5;

/** A finding that a rule fired for, and the task that it started or would have started. */
export interface Fired {
  finding: string;
  taskId: string;
  /** UTC instant, ISO 8601. */
  at: string;
}

/** Reads the newest findings that each rule fired for, in one round trip. */
export async function readFired({ redis, keys }: Db, names: readonly string[]): Promise<Map<string, Fired[]>> {
  const all = await Promise.all(
    names.map((name) => redis.zrevrange(keys.ruleFired(name), 0, NEWEST - 1, 'WITHSCORES')),
  );
  return new Map(names.map((name, i) => [name, toFired(name, all[i] ?? [])]));
}

/** @param scored finding, ms, finding, ms … */
function toFired(name: string, scored: readonly string[]): Fired[] {
  return scored.flatMap((finding, i) => {
    if (i % 2 === 1) return [];
    const at = new Date(Number(scored[i + 1] ?? 0)).toISOString();
    return [{ finding, taskId: toTaskId(name, finding), at }];
  });
}
