import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import type { FindingQuery, FindingStore } from './store-shape.ts';
import { parseFinding, toSummary, type StoredFinding } from './stored-finding.ts';

const PAGE = 200;

export function createFindingStore(redis: Redis, keys: Keys): FindingStore {
  async function get(id: string): Promise<StoredFinding | null> {
    const key = keys.finding(id);
    const text = await redis.get(key).catch(async (error: Error) => {
      if (!error.message.startsWith('WRONGTYPE')) throw error;
      const hash = await redis.hgetall(key); // older programs stored hashes
      return JSON.stringify(hash);
    });
    return text === null ? null : parseFinding(id, text);
  }

  async function* pages(query: FindingQuery, order: 'newest' | 'oldest'): AsyncGenerator<StoredFinding> {
    const { limit = 50, session, batch, text, answers = false } = query;
    const wanted = text?.toLowerCase();
    const index = answers ? keys.indexAnswers : toIndex(keys, query);
    let given = 0;
    for (let from = 0; given < limit; from += PAGE) {
      const to = from + PAGE - 1;
      const ids =
        order === 'newest' ? await redis.zrevrange(index, from, to) : await redis.zrange(index, from, String(to));
      if (ids.length === 0) return;
      for (const finding of await readMany(ids)) {
        if (finding === null) continue;
        if (!answers && batch !== undefined && session !== undefined && finding.session !== session) continue;
        if (wanted !== undefined && !JSON.stringify(finding).toLowerCase().includes(wanted)) continue;
        yield finding;
        given += 1;
        if (given >= limit) return;
      }
    }
  }

  async function list(query: FindingQuery = {}): Promise<StoredFinding[]> {
    const found: StoredFinding[] = [];
    for await (const finding of pages(query, 'newest')) found.push(finding);
    return found;
  }

  async function readMany(ids: string[]): Promise<(StoredFinding | null)[]> {
    const texts = await redis.mget(ids.map((id) => keys.finding(id))); // null for a hash: MGET never fails on a type
    return Promise.all(
      ids.map(async (id, at) => {
        const text = texts[at];
        return typeof text === 'string' ? parseFinding(id, text) : get(id);
      }),
    );
  }

  return {
    get,
    list,
    each: (query = {}) => pages(query, 'oldest'),
    async search(text, { limit }) {
      const found = await list({ text, limit });
      return found.map((finding) => ({ id: finding.finding_id, summary: toSummary(finding), at: finding.at }));
    },
    count: () => redis.zcard(keys.index),
  };
}

function toIndex(keys: Keys, { batch, session }: FindingQuery): string {
  if (batch !== undefined) return keys.indexByBatch(batch);
  return session !== undefined ? keys.indexBySession(session) : keys.index;
}
