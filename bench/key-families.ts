import type { Redis } from 'ioredis';
import { queueRegistry } from '../queues/registry.ts';
import type { Keys } from '../src/redis/keys.ts';

/** What one kind of key holds. */
export interface FamilySize {
  keys: number;
  bytes: number;
}

const PAGE = 500;
/** In place of an id: no key holds it. */
const PLACE = '\0';

/** Returns the kinds of keys of a swarm by the start of their names. `docs/redis-keys.md` lists the same kinds. */
export function listFamilies(keys: Keys): { name: string; prefix: string }[] {
  const own = Object.entries(keys as unknown as Record<string, unknown>).flatMap(([name, entry]) => {
    if (name === 'jobLock' || name === 'jobLogs' || name === 'queueKey') return [];
    if (name === 'bullPrefix' || name === 'publicPrefix' || name.startsWith('channel')) return [];
    const key: unknown = typeof entry === 'function' ? (entry as (...parts: string[]) => unknown)(PLACE, PLACE) : entry;
    if (typeof key !== 'string' || !key.startsWith(keys.bullPrefix) || key.endsWith(':')) return [];
    return [{ name, prefix: key.split(PLACE)[0] ?? '' }];
  });
  const queues = Object.keys(queueRegistry).map((queue) => ({
    name: `queue ${queue}`,
    prefix: keys.queueKey(queue, ''),
  }));
  return [...own, ...queues];
}

/** Measures all keys of a swarm by kind; a key of no kind counts as `other`. */
export async function measureFamilies(redis: Redis, keys: Keys): Promise<Map<string, FamilySize>> {
  const families = listFamilies(keys).toSorted((a, b) => b.prefix.length - a.prefix.length);
  const sizes = new Map<string, FamilySize>();
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${keys.bullPrefix}:*`, 'COUNT', PAGE);
    cursor = next;
    const chain = redis.pipeline();
    for (const key of found) chain.memory('USAGE', key);
    const bytes = ((await chain.exec()) ?? []).map(([, size]) => Number(size ?? 0));
    for (const [i, key] of found.entries()) {
      const name = families.find(({ prefix }) => key.startsWith(prefix))?.name ?? 'other';
      const size = sizes.get(name) ?? { keys: 0, bytes: 0 };
      sizes.set(name, { keys: size.keys + 1, bytes: size.bytes + (bytes[i] ?? 0) });
    }
  } while (cursor !== '0');
  return sizes;
}
