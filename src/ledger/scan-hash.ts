import type { Redis } from 'ioredis';

/**
 * The fields of a hash of any size. One that changes meanwhile may come twice, or not at all.
 * @param match a pattern as of HSCAN, which the field must have; default: any
 */
export async function* scanHash(
  redis: Redis,
  key: string,
  match = '*',
): AsyncGenerator<[field: string, value: string]> {
  let cursor = '0';
  do {
    const [next, found] = await redis.hscan(key, cursor, 'MATCH', match, 'COUNT', 500);
    cursor = next;
    for (let i = 0; i < found.length; i += 2) yield [found[i] ?? '', found[i + 1] ?? ''];
  } while (cursor !== '0');
}
