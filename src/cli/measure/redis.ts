import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Db } from '../../redis/db.ts';
import { assertSame, inJsonl, inRedis, inSqlite, makeContext, SQLITE_MISSING } from './context-stores.ts';
import { summarize, time, type Measured } from './types.ts';

/** Bytes of the context. */
const CONTEXT_BYTES = 3.2 * 1024 * 1024;
/** A command that was killed leaves its keys for so long. */
const KEEP_MS = 10 * 60_000;

/**
 * Measures round trips to the fleet's own Redis, and how long it takes to read a context of 3.2 MB and parse its findings,
 * from Redis and from files on this host. It writes a few private keys and removes them.
 * @param rounds of each round trip; a context is read a fiftieth as often
 */
export async function measureRedis(db: Db, rounds: number): Promise<Measured[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-bench-'));
  const prefix = `${db.keys.benchmark(randomUUID())}:`;
  try {
    return [
      ...(await measureCommands(db.redis, prefix, rounds)),
      ...(await measureContexts(db.redis, prefix, folder, rounds)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await removeKeys(db.redis, prefix);
  }
}

async function measureCommands(redis: Redis, prefix: string, rounds: number): Promise<Measured[]> {
  const key = `${prefix}value`;
  const value = 'x'.repeat(1_024);
  await time(Math.min(rounds, 100), () => redis.ping()); // warms up
  return [
    summarize('PING', 'ms', await time(rounds, () => redis.ping())),
    summarize('SET of 1 kB', 'ms', await time(rounds, () => redis.set(key, value, 'PX', KEEP_MS))),
    summarize('GET of 1 kB', 'ms', await time(rounds, () => redis.get(key))),
  ];
}

async function measureContexts(redis: Redis, prefix: string, folder: string, rounds: number): Promise<Measured[]> {
  const rows = makeContext(CONTEXT_BYTES);
  const stores = [await inRedis(redis, prefix, rows, KEEP_MS), inJsonl(folder, rows), inSqlite(folder, rows)];
  const measured: Measured[] = [];
  for (const store of stores) {
    if (store === null) {
      measured.push({
        name: toName('SQLite file, SELECT'),
        unit: 'ms',
        count: 0,
        p50: 0,
        p99: null,
        missing: SQLITE_MISSING,
      });
      continue;
    }
    try {
      assertSame(store.name, await store.read(), rows);
      const times = await time(Math.max(3, Math.floor(rounds / 50)), async () => {
        for (const text of await store.read()) JSON.parse(text);
      });
      measured.push(summarize(toName(store.name), 'ms', times));
    } finally {
      store.close();
    }
  }
  return measured;
}

function toName(store: string): string {
  return `context of 3.2 MB, ${store}`;
}

async function removeKeys(redis: Redis, prefix: string): Promise<void> {
  await redis.del(`${prefix}value`);
  const ids = makeContext(CONTEXT_BYTES).map(([id]) => prefix + id);
  await redis.unlink(...ids);
}
