import type { Redis } from 'ioredis';

/** The fields of a hash of any size. One that changes meanwhile may come twice, or not at all. */
export async function* scanHash(redis: Redis, key: string): AsyncGenerator<[field: string, value: string]> {
  let cursor = '0';
  do {
    const [next, found] = await redis.hscan(key, cursor, 'COUNT', 500);
    cursor = next;
    for (let i = 0; i < found.length; i += 2) yield [found[i] ?? '', found[i + 1] ?? ''];
  } while (cursor !== '0');
}
