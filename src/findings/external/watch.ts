import type { Logger } from '../../process/logger.ts';
import { repeat } from '../../process/repeat.ts';
import type { Db } from '../../redis/db.ts';
import { Lease, RENEW_LEASE_EVERY_MS } from '../../redis/lease.ts';
import { adoptAllExternal } from './adopt.ts';
import { findOldWorkers } from './old-workers.ts';
import { adoptAnnounced, type Announcements } from './announcements.ts';

/** How often the watching process searches all finding keys, because a program may store a finding without announcing it. */
const SEARCH_EVERY_MS = 10 * 60_000;

export interface ExternalWatchParts {
  db: Db;
  url: string;
  log: Logger;
  /**
   * Above 0, the process begins to watch only after this time, only while no other process watches, and gives the watch
   * up to a process with 0. Default 0. Workers wait, because every announced finding of the fleet costs the watching
   * process time (`npm run bench -- beside`).
   */
  patienceMs?: number;
}

/**
 * Adopts what other programs store: at once when it is announced, else by a search at the start and every ten minutes.
 * Every process of the fleet may call this; the one that holds the lease does the work.
 * @returns stops it, and waits for work that is under way
 */
export function watchExternalFindings({ db, url, log, patienceMs = 0 }: ExternalWatchParts): () => Promise<void> {
  const lease = new Lease(db, db.keys.lease('foreign-findings'), { isPatient: patienceMs > 0 });
  let announcements: Announcements | null = null;
  let searchedAt = -Infinity; // of `performance.now()`; -Infinity: a search is due

  function searchSoon(): void {
    searchedAt = -Infinity;
  }

  async function watch(): Promise<void> {
    if (!(await lease.take())) return leave();
    announcements ??= await adoptAnnounced({ db, url, log, onMissed: searchSoon });
    if (performance.now() - searchedAt >= SEARCH_EVERY_MS) await search();
  }

  async function search(): Promise<void> {
    searchedAt = performance.now();
    try {
      const adopted = await adoptAllExternal(db);
      await findOldWorkers(db);
      if (adopted > 0) log.info({ adopted }, 'findings of other programs adopted');
    } catch (error) {
      searchSoon();
      throw error;
    }
  }

  async function leave(): Promise<void> {
    const left = announcements;
    announcements = null;
    searchSoon();
    await left?.close();
  }

  const stop = repeat(
    {
      everyMs: RENEW_LEASE_EVERY_MS,
      firstAfterMs: patienceMs,
      what: 'looking for findings of other programs',
      log,
    },
    watch,
  );
  return async () => {
    await stop();
    await leave();
    await lease.release();
  };
}
