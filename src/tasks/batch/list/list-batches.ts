import { countCancelled } from '../../../jobs/cancelled.ts';
import { toUsd } from '../../../pricing/money.ts';
import type { Db } from '../../../redis/db.ts';
import { toStoredCount } from '../../../redis/stored-record.ts';
import { readPaceFacts, toPace } from '../pace.ts';
import type { BatchListOptions, BatchSummary } from '../types.ts';
import { countParked } from './count-parked.ts';

/** Batches of one round trip. */
const PAGE = 200;
/** A batch that is done is listed this long after its last finding, or its creation, ms. */
const RECENT_MS = 24 * 3600_000;

/** Lists batches, the newest first: what is done, how fast, and what it has cost. One round trip for two hundred batches. */
export async function listBatches(db: Db, { all = false }: BatchListOptions = {}): Promise<BatchSummary[]> {
  const { redis, keys, clock } = db;
  const now = clock.now();
  const parked = await countParked(db);
  const listed: BatchSummary[] = [];
  for (let from = 0; ; from += PAGE) {
    const names = await redis.zrevrange(keys.batches, from, from + PAGE - 1);
    const page = await readPage(db, names, { now, parked });
    const wanted = page.filter((batch) => all || isRecent(batch, now));
    listed.push(...(await Promise.all(wanted.map((batch) => withCancelled(db, batch)))));
    if (names.length < PAGE) return listed;
  }
}

function isRecent({ state, lastFindingAt, createdAt }: BatchSummary, now: number): boolean {
  return state !== 'done' || now - Date.parse(lastFindingAt ?? createdAt) < RECENT_MS;
}

async function readPage(
  { redis, keys }: Db,
  names: readonly string[],
  { now, parked }: { now: number; parked: ReadonlyMap<string, number> },
): Promise<BatchSummary[]> {
  const chain = redis.pipeline();
  for (const name of names) {
    chain
      .hmget(keys.batch(name), 'session', 'createdAt', 'tasks', 'loaded')
      .zcard(keys.indexByBatch(name))
      .scard(keys.batchFailed(name))
      .zrevrange(keys.indexByBatch(name), 0, 0, 'WITHSCORES')
      .hmget(keys.spend(`batch:${name}`), 'settled', 'uncertain', 'limit');
    readPaceFacts(chain, { keys, now }, name);
  }
  const replies = ((await chain.exec()) ?? []).map(([error, reply]): unknown => {
    if (error !== null && !error.message.startsWith('WRONGTYPE')) throw error;
    return error === null ? reply : null; // `fleet status` names a damaged key
  });
  const width = replies.length / Math.max(1, names.length);
  return names.map((name, i) =>
    toSummary(name, replies.slice(width * i, width * (i + 1)), { now, parked: parked.get(name) ?? 0 }),
  );
}

function toSummary(
  batch: string,
  [facts, done, ended, newest, spend, count, oldest]: unknown[],
  { now, parked }: { now: number; parked: number },
): BatchSummary {
  const [session, createdAt, added, loaded] = (facts ?? []) as (string | null)[];
  const [settled, uncertain, limit] = (spend ?? []) as (string | null)[];
  const [tasks, completed, failed] = [toStoredCount(added), Number(done ?? 0), Number(ended ?? 0)];
  const open = Math.max(0, tasks - completed - failed);
  const held = Math.min(parked, open);
  const lastAt = Number(((newest ?? []) as string[])[1] ?? NaN);
  const spent = toStoredCount(settled);
  const most = typeof limit === 'string' ? toStoredCount(limit) : null;
  return {
    batch,
    session: session ?? '',
    createdAt: createdAt ?? '',
    lastFindingAt: Number.isFinite(lastAt) ? new Date(lastAt).toISOString() : null,
    state: loaded === '0' ? 'loading' : open === 0 ? 'done' : held === open ? 'parked' : 'running',
    tasks,
    completed,
    failed,
    cancelled: 0,
    open,
    parked: held,
    pace: toPace({ count, oldest, open, parked: held, now }),
    spentUsd: toUsd(spent),
    spentNanoUsd: spent,
    uncertainNanoUsd: toStoredCount(uncertain),
    budgetUsd: toUsd(most),
    budgetNanoUsd: most,
  };
}

/** Tells the cancelled tasks of a batch from the failed ones: its record holds both as failed. */
async function withCancelled(db: Db, batch: BatchSummary): Promise<BatchSummary> {
  if (batch.failed === 0) return batch;
  const cancelled = await countCancelled(db, 'tasks', db.keys.batchFailed(batch.batch)).catch(() => 0);
  return { ...batch, failed: Math.max(0, batch.failed - cancelled), cancelled };
}
