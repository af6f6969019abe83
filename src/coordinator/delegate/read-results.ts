import { mayRead, toNotes } from '../../findings/marks.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { parseFinding, readFindingTexts } from '../../findings/stored.ts';
import { withOriginals } from '../../findings/condensed.ts';
import type { NodeView } from '../mission/nodes.ts';
import type { FoundResult } from '../calls/synthesis.ts';
import type { Db } from '../../redis/db.ts';
import { startOf } from '../../text/start-of.ts';
import { stringifyExact } from '../../text/exact-json.ts';

const CHUNK = 100;
/** Most characters of all results together, and the fewest kept of each: far more than fits into a prompt. */
const MOST_CHARACTERS = 4_000_000;
const LEAST_EACH = 2_000;

/**
 * Reads the results of a mission's done tasks, in the plan's order, without retracted findings and what may not be sent wherever the
 * mission's answer may.
 * @param reader the vendors that see what is written from them; null: all
 * @returns `withheld`: the tasks whose findings may not be sent there, a line each
 */
export async function readResults(
  db: Db,
  views: readonly NodeView[],
  reader: readonly string[] | null,
): Promise<{ results: FoundResult[]; withheld: string[] }> {
  const { redis, keys } = db;
  const done = views.filter(({ state }) => state === 'done');
  const most = Math.max(LEAST_EACH, Math.floor(MOST_CHARACTERS / Math.max(1, done.length)));
  const results: FoundResult[] = [];
  const withheld: string[] = [];
  for (let from = 0; from < done.length; from += CHUNK) {
    const chunk = done.slice(from, from + CHUNK);
    const ids = chunk.map(({ findingId }) => findingId);
    const [stored, retracted] = await Promise.all([readFindingTexts(db, ids), redis.hmget(keys.retracted, ...ids)]);
    const texts = await withOriginals(db, ids, stored); // findings of an earlier session may be condensed
    for (const [i, { findingId, node }] of chunk.entries()) {
      const text = texts[i] ?? null;
      const finding = text === null || retracted[i] !== null ? null : parseFinding(findingId, text);
      if (finding === null) continue;
      if (!mayRead(reader, finding)) {
        const allowed = finding.vendors?.join(', ') || 'no vendor';
        withheld.push(
          `${node.task}: ${findingId} may be sent to ${allowed} only, and the mission's answer to others, too`,
        );
        continue;
      }
      results.push({ findingId, kind: node.kind, task: node.description, result: cut(toShown(finding), most) });
    }
  }
  return { results, withheld };
}

/** The result; behind what a model must know before it, if there is something. */
function toShown(finding: StoredFinding): unknown {
  const { result } = finding;
  const notes = toNotes(finding);
  if (notes === '') return result;
  return `${notes}\n${typeof result === 'string' ? result : stringifyExact(result)}`;
}

function cut(result: unknown, most: number): unknown {
  const text = typeof result === 'string' ? result : stringifyExact(result);
  return text.length <= most ? result : `${startOf(text, most)}\n(cut)`;
}
