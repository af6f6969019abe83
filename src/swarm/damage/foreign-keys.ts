import type { Db } from '../../redis/db.ts';
import type { ForeignKey } from '../types.ts';

/** `context:active holds a list, expected a whole number`. */
export function describeForeign({ key, holds, expected }: ForeignKey): string {
  return `${key} holds ${holds}, expected ${expected}`;
}

/** A public key of a fixed name, and how its text must look. */
interface Rule {
  key: string;
  expected: string;
  isRight: (text: string) => boolean;
}

/**
 * Finds the public keys of fixed names that hold something else than they should. A halt of another type is left out, because it
 * halts. One round trip.
 * @param of.shards numbers of the configured ones
 * @param of.vendors names of the totals (`CostVendor`); the private one is left out
 */
export async function readForeignKeys(
  { redis, keys }: Db,
  of: { shards: readonly number[]; vendors: readonly string[] },
): Promise<ForeignKey[]> {
  const rules = toRules(keys, of);
  const types = redis.pipeline();
  for (const { key } of rules) types.type(key).mget(key);
  const replies = ((await types.exec()) ?? []).map(([, reply]) => reply);
  return rules.flatMap(({ key, expected, isRight }, i): ForeignKey[] => {
    const type = replies[2 * i] as string | undefined;
    const text = (replies[2 * i + 1] as (string | null)[] | undefined)?.[0] ?? null;
    if (type === undefined || type === 'none' || (text !== null && isRight(text))) return [];
    const holds = text === null ? `a ${type}` : 'other text';
    return [{ key, holds, expected, command: `redis-cli DEL '${key}'` }];
  });
}

function toRules(
  keys: Db['keys'],
  { shards, vendors }: { shards: readonly number[]; vendors: readonly string[] },
): Rule[] {
  const isDecimal = (text: string): boolean =>
    /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text));
  const isWhole = (text: string): boolean => /^-?\d{1,19}$/.test(text);
  return [
    { key: keys.contextActive, expected: 'a whole number', isRight: isWhole },
    ...vendors
      .filter((vendor) => vendor !== 'other')
      .map((vendor) => ({ key: keys.cost(vendor), expected: 'a number', isRight: isDecimal })),
    ...shards.flatMap((shard) => [
      { key: keys.shardQuota(shard), expected: 'a whole number', isRight: isWhole },
      {
        key: keys.shardStatus(shard),
        expected: 'active or exhausted',
        isRight: (text: string) => text === 'active' || text === 'exhausted',
      },
    ]),
  ];
}
