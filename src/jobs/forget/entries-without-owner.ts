import { queueRegistry } from '../../../queues/registry.ts';
import type { Db } from '../../redis/db.ts';
import { scanHash } from '../../ledger/scan-hash.ts';
import { findJobs } from './jobs-there.ts';

const PAGE = 500;
const DAY_MS = 86_400_000;
/** A process, a host or a model that has given no sign for this long is forgotten. */
const SILENT_MS = 30 * DAY_MS;
/** See `findCandidates` of the compaction. */
const UNCONDENSED_MS = DAY_MS;
/** Most entries that one process remembers between two looks. */
const MOST_REMEMBERED = 50_000;

/**
 * Returns the sweep of hashes and sorted sets with an entry for each job, process, host or model: it deletes entries of which
 * nothing is left. A task's id of a finding is claimed before its job is added; so an entry goes only if this process has found it
 * without a job twice.
 */
export function createEntrySweep(db: Db): (nowMs: number) => Promise<void> {
  const { redis, keys, scripts } = db;
  let before = new Set<string>();

  /** Deletes fields of a hash that have no job, by the second look. */
  async function sweepHash(
    key: string,
    toJobId: (field: string, value: string) => string,
    seen: Set<string>,
  ): Promise<void> {
    let page: [field: string, value: string][] = [];
    const flush = async (): Promise<void> => {
      const there = await findJobs(
        db,
        page.map(([field, value]) => toJobId(field, value)),
      );
      for (const [field, value] of page) {
        if (there.has(toJobId(field, value))) continue;
        const mark = JSON.stringify([key, field, value]);
        if (before.has(mark)) await scripts['delete-if']({ hash: key }, [field, value]);
        else if (seen.size < MOST_REMEMBERED) seen.add(mark);
      }
      page = [];
    };
    for await (const entry of scanHash(redis, key)) {
      page.push(entry);
      if (page.length >= PAGE) await flush();
    }
    await flush();
  }

  /** Deletes fields of a hash whose instant, ms, is too old or unreadable. */
  async function sweepSilent(key: string, toInstant: (value: string) => number, nowMs: number): Promise<void> {
    for await (const [field, value] of scanHash(redis, key)) {
      if (toInstant(value) > nowMs - SILENT_MS) continue;
      await scripts['delete-if']({ hash: key }, [field, value]);
    }
  }

  return async (nowMs) => {
    const seen = new Set<string>();
    await sweepHash(keys.crashBase, (jobId) => jobId, seen);
    await sweepHash(keys.parked, (jobId) => jobId, seen);
    await sweepHash(keys.reservedFindings, (_, jobId) => jobId, seen);
    before = seen;
    const cancelledEnds = Object.keys(queueRegistry).map((queue) => keys.cancelledEnds(queue));
    for (const key of [keys.cancelled, keys.offered, ...cancelledEnds]) await sweepJobs(db, key, nowMs);
    await redis.zremrangebyscore(keys.outsideLeases, '-inf', nowMs - SILENT_MS);
    await redis.zremrangebyscore(keys.uncondensed, '-inf', nowMs - UNCONDENSED_MS);
    await redis.zremrangebyscore(keys.begunDelayed, '-inf', nowMs - SILENT_MS);
    for (const key of [keys.modelsInUse, keys.paced, keys.attendants]) await sweepSilent(key, Number, nowMs);
    await sweepSilent(keys.workers, (text) => toField(text, 'seenAt'), nowMs);
    await sweepSilent(keys.treeHosts, (text) => toField(text, 'at'), nowMs);
    await sweepUnreadable(db);
  };
}

/** Entries of jobs that are gone. Others stay: their job has not ended yet. @param key sorted set: job id → ms */
async function sweepJobs(db: Db, key: string, nowMs: number): Promise<void> {
  const { redis } = db;
  for (let from = 0; ; from += PAGE) {
    const ids = await redis.zrange(key, String(from), String(from + PAGE - 1));
    if (ids.length === 0) return;
    const there = await findJobs(db, ids);
    const gone = ids.filter((id) => !there.has(id));
    if (gone.length === 0) continue;
    // An entry of this day stays: a job may be marked or offered before it is added.
    const scores = await redis.zmscore(key, ...gone);
    const old = gone.filter((_, i) => Number(scores[i]) < nowMs - DAY_MS);
    if (old.length > 0) from -= await redis.zrem(key, ...old);
  }
}

/** Ids under which another program had stored what is no finding, and which are gone. */
async function sweepUnreadable({ redis, keys }: Db): Promise<void> {
  let cursor = '0';
  do {
    const [next, ids] = await redis.sscan(keys.unreadable, cursor, 'COUNT', PAGE);
    cursor = next;
    const chain = redis.pipeline();
    for (const id of ids) chain.exists(keys.finding(id));
    const replies = (await chain.exec()) ?? [];
    const gone = ids.filter((_, i) => replies[i]?.[1] === 0);
    if (gone.length > 0) await redis.srem(keys.unreadable, ...gone);
  } while (cursor !== '0');
}

function toField(text: string, name: string): number {
  try {
    return Number((JSON.parse(text) as Record<string, unknown>)[name]);
  } catch {
    return 0; // damaged: of no use
  }
}
