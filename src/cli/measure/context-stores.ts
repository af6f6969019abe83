import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { FleetError } from '../../errors.ts';

/** One finding of a context: its id and its JSON text. */
export type Row = readonly [id: string, text: string];

/** A place that holds a whole context. */
interface ContextStore {
  name: string;
  /** Reads all of it, in order. */
  read(): Promise<string[]> | string[];
  close(): void;
}

/** Makes findings of together at least so many bytes, all of them different. */
export function makeContext(bytes: number): Row[] {
  const rows: Row[] = [];
  for (let size = 0; size < bytes;) {
    const id = `finding_${rows.length.toString(16).padStart(12, '0')}`;
    const words = Array.from({ length: 380 }, (_, i) => ((rows.length * 7919 + i * 104_729) % 99_991).toString(36));
    const text = JSON.stringify({ finding_id: id, task: `Look at part ${rows.length}`, result: words.join(' ') });
    rows.push([id, text]);
    size += Buffer.byteLength(text);
  }
  return rows;
}

/** One string a finding, as the fleet stores them. @param prefix of keys that are nobody else's; the caller removes them */
export async function inRedis(
  redis: Redis,
  prefix: string,
  rows: readonly Row[],
  keepMs: number,
): Promise<ContextStore> {
  const chain = redis.pipeline();
  for (const [id, text] of rows) chain.set(prefix + id, text, 'PX', keepMs);
  for (const [error] of (await chain.exec()) ?? []) if (error !== null) throw error;
  const keys = rows.map(([id]) => prefix + id);
  return {
    name: 'Redis, MGET',
    read: async () => (await redis.mget(keys)).map((text) => text ?? ''),
    close: () => undefined,
  };
}

export function inJsonl(folder: string, rows: readonly Row[]): ContextStore {
  const path = join(folder, 'context.jsonl');
  writeFileSync(path, rows.map(([, text]) => `${text}\n`).join(''));
  return { name: 'JSONL file', read: () => readFileSync(path, 'utf8').trimEnd().split('\n'), close: () => undefined };
}

/** What is used of a SQLite package. */
interface SqliteDatabase {
  exec(sql: string): void;
  run(sql: string, values: readonly string[]): unknown;
  all(sql: string): { text: string }[];
  close(): void;
}

/** The package is beside the fleet, or beside the folder in which the command runs. */
const SQLITE = 'node-sqlite3-wasm';

/** @returns null: the package is not installed */
export function inSqlite(folder: string, rows: readonly Row[]): ContextStore | null {
  const open = findSqlite();
  if (open === null) return null;
  const path = join(folder, 'context.sqlite');
  const filling = open(path);
  filling.exec('CREATE TABLE findings (place INTEGER PRIMARY KEY, id TEXT, text TEXT)');
  filling.exec('BEGIN');
  for (const [place, [id, text]] of rows.entries())
    filling.run('INSERT INTO findings VALUES (?, ?, ?)', [String(place), id, text]);
  filling.exec('COMMIT');
  filling.close();
  const database = open(path); // as another process would
  return {
    name: 'SQLite file, SELECT',
    read: () => database.all('SELECT text FROM findings ORDER BY place').map(({ text }) => text),
    close: () => database.close(),
  };
}

function findSqlite(): ((path: string) => SqliteDatabase) | null {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      const { Database } = createRequire(from)(SQLITE) as { Database: new (path: string) => SqliteDatabase };
      return (path) => new Database(path);
    } catch (error) {
      if (Reflect.get(Object(error), 'code') !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return null;
}

export const SQLITE_MISSING = `not measured: npm install ${SQLITE} in this folder lets it be`;

/** Each store must give back what was put in: else its time says nothing. @throws FleetError */
export function assertSame(name: string, read: readonly string[], rows: readonly Row[]): void {
  if (read.length === rows.length && rows.every(([, text], i) => read[i] === text)) return;
  throw new FleetError(`${name}: read ${read.length} findings that are not the ${rows.length} that were stored`);
}
