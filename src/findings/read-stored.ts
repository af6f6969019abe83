import type { Redis } from 'ioredis';
import { createHash } from 'node:crypto';
import type { StoredValue } from './types.ts';

/** Reads keys that hold findings; null where there is nothing, or a type that is no finding. */
export async function readStored(redis: Redis, keys: readonly string[]): Promise<(StoredValue | null)[]> {
  if (keys.length === 0) return [];
  const texts = await redis.mget([...keys]); // null for a hash: MGET never fails on a type
  const values: (StoredValue | null)[] = texts.map((text) => (text === null ? null : { kind: 'string', text }));
  const missing = keys.flatMap((key, at) => (values[at] === null ? [{ key, at }] : []));
  if (missing.length === 0) return values;
  const chain = redis.pipeline();
  for (const { key } of missing) chain.hgetall(key);
  const hashes = (await chain.exec()) ?? [];
  for (const [place, { at }] of missing.entries()) {
    const [error, hash] = hashes[place] ?? [];
    if (error !== null && error !== undefined && !error.message.startsWith('WRONGTYPE')) throw error;
    const fields = error === null ? Object.entries((hash ?? {}) as Record<string, string>) : [];
    if (fields.length > 0) values[at] = { kind: 'hash', fields };
  }
  return values;
}

/** As JSON text: of a hash the JSON of its fields. */
export function toText(value: StoredValue): string {
  return value.kind === 'string' ? value.text : JSON.stringify(Object.fromEntries(value.fields));
}

/** SHA-1 by which a script tells whether a finding is still what was read. Spelled in `scripts/condense-findings.lua` too. */
export function toDigest(value: StoredValue): string {
  const sha = createHash('sha1');
  if (value.kind === 'string') return sha.update(value.text).digest('hex');
  const pairs = value.fields.map(([name, text]) => ({ name: Buffer.from(name), text }));
  pairs.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const { name, text } of pairs) sha.update(name).update('\0').update(text).update('\0');
  return sha.digest('hex');
}
