import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Redis } from 'ioredis';

/** A key as the fixture holds it. Text is latin1: one character a byte. */
interface StoredKey {
  key: string;
  /** Rest of its life time, ms; -1: none. */
  ttl: number;
  type: string;
  /** Of a hash, sorted set (member, score) or stream (id, JSON of its fields): pairs in a row. */
  values: string[];
}

/** A key that lives no longer than this, ms, is not stored: by the time the fixture is read, it is gone. */
const SHORT_MS = 15 * 60_000;

const text = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value));
const bytes = (value = ''): Buffer => Buffer.from(value, 'latin1');

/** Writes all keys with this prefix to a file. */
export async function saveKeys(redis: Redis, prefix: string, file: string): Promise<number> {
  const stored: StoredKey[] = [];
  for (const key of (await redis.keys(`${prefix}*`)).toSorted()) {
    const ttl = await redis.pttl(key);
    if (ttl >= 0 && ttl < SHORT_MS) continue;
    const type = await redis.type(key);
    stored.push({ key, ttl, type, values: await readValues(redis, key, type) });
  }
  writeFileSync(file, gzipSync(JSON.stringify(stored), { level: 9 }));
  return stored.length;
}

async function readValues(redis: Redis, key: string, type: string): Promise<string[]> {
  const reply = async (): Promise<unknown> => {
    switch (type) {
      case 'string':
        return [await redis.getBuffer(key)];
      case 'hash':
        return redis.callBuffer('HGETALL', key);
      case 'list':
        return redis.callBuffer('LRANGE', key, 0, -1);
      case 'set':
        return redis.callBuffer('SMEMBERS', key);
      case 'zset':
        return redis.callBuffer('ZRANGE', key, 0, -1, 'WITHSCORES');
      default: {
        const entries = (await redis.callBuffer('XRANGE', key, '-', '+')) as [Buffer, Buffer[]][];
        return entries.flatMap(([id, fields]) => [id, JSON.stringify(fields.map(text))]);
      }
    }
  };
  return ((await reply()) as unknown[]).flat().map(text); // pairs come nested or flat, by the version of the protocol
}

/** Stores what `saveKeys` wrote. */
export async function loadKeys(redis: Redis, file: string): Promise<void> {
  const stored = JSON.parse(gunzipSync(readFileSync(file)).toString()) as StoredKey[];
  const chain = redis.pipeline();
  for (const { key, ttl, type, values } of stored) {
    const pairs = Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i] ?? '', values[2 * i + 1] ?? '']);
    if (type === 'string') chain.set(key, bytes(values[0]));
    else if (type === 'hash') chain.hset(key, ...values.map(bytes));
    else if (type === 'list') chain.rpush(key, ...values.map(bytes));
    else if (type === 'set') chain.sadd(key, ...values.map(bytes));
    else if (type === 'zset') chain.zadd(key, ...pairs.flatMap(([member, score]) => [score ?? '', bytes(member)]));
    else
      for (const [id = '', fields = '[]'] of pairs) chain.xadd(key, id, ...(JSON.parse(fields) as string[]).map(bytes));
    if (ttl >= 0) chain.pexpire(key, ttl);
  }
  for (const [error] of (await chain.exec()) ?? []) if (error) throw error;
}
