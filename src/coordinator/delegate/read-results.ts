import { parseFinding, readFindingTexts } from '../../findings/stored.ts';
import { withOriginals } from '../../findings/condensed.ts';
import type { NodeView } from '../mission/nodes.ts';
import type { FoundResult } from '../calls/synthesis.ts';
import type { Db } from '../../redis/db.ts';

const CHUNK = 100;
/** Characters of all results together that are kept in this process, and the fewest kept of each: far more than a prompt takes. */
const MOST_CHARACTERS = 4_000_000;
const LEAST_EACH = 2_000;

/** What the done tasks of a mission found, in the plan's order. A finding that a person has retracted is none. */
export async function readResults(db: Db, views: readonly NodeView[]): Promise<FoundResult[]> {
  const { redis, keys } = db;
  const done = views.filter(({ state }) => state === 'done');
  const most = Math.max(LEAST_EACH, Math.floor(MOST_CHARACTERS / Math.max(1, done.length)));
  const results: FoundResult[] = [];
  for (let from = 0; from < done.length; from += CHUNK) {
    const chunk = done.slice(from, from + CHUNK);
    const ids = chunk.map(({ findingId }) => findingId);
    const [stored, retracted] = await Promise.all([readFindingTexts(db, ids), redis.hmget(keys.retracted, ...ids)]);
    const texts = await withOriginals(db, ids, stored); // a mission may outlive its session
    for (const [at, { findingId, node }] of chunk.entries()) {
      const text = texts[at] ?? null;
      const finding = text === null || retracted[at] !== null ? null : parseFinding(findingId, text);
      if (finding === null) continue;
      results.push({ findingId, kind: node.kind, task: node.description, result: cut(finding.result, most) });
    }
  }
  return results;
}

function cut(result: unknown, most: number): unknown {
  const text = typeof result === 'string' ? result : (JSON.stringify(result) ?? '');
  return text.length <= most ? result : `${text.slice(0, most)}\n(cut)`;
}
