import type { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../process/logger.ts';
import { connectRedis } from '../../redis/connect.ts';
import type { Db } from '../../redis/db.ts';
import { adoptAllExternal, adoptExternal } from './adopt.ts';

/** Everything is looked through this often for what nobody announced. */
const SEARCH_EVERY_MS = 10 * 60_000;
/** A process that dies leaves the watch to another one after this long; the new one begins with a search. */
const TURN_MS = 15_000;
const RENEW_EVERY_MS = 5_000;
/** How a holder is known who gives the watch up to a process that has nothing better to do. */
const PATIENT = 'patient:';
/** Announcements are gathered this long: the fleet's own come here too, thousands a second on a busy one. */
const GATHER_MS = 100;

export interface ExternalWatchParts {
  db: Db;
  url: string;
  log: Logger;
  /**
   * Watches only after so long, and only while no process without patience does. Default 0. Workers have some: hearing
   * of every finding of the fleet would slow them down (`npm run bench -- beside`).
   */
  patienceMs?: number;
  /** Work of the same rhythm, done with every search and by the same process. */
  alsoSearch?: () => Promise<unknown>;
}

/**
 * Adopts what other programs store: at once when it is announced, else by a search at the start and every ten minutes.
 * One process of the fleet does it at a time; any may call this.
 * @returns stops it, after what is under way
 */
export function watchExternalFindings(parts: ExternalWatchParts): () => Promise<void> {
  const { db, url, log, patienceMs = 0 } = parts;
  const { redis, keys } = db;
  const key = keys.turnOf('foreign-findings');
  const owner = `${patienceMs === 0 ? '' : PATIENT}${randomBytes(8).toString('hex')}`;
  const announced = new Set<string>();
  let subscriber: Redis | null = null;
  let searchedAt = 0;
  let stopped = false;
  let ticking: Promise<void> | null = null;
  let adopting: Promise<void> | null = null;

  async function tick(): Promise<void> {
    const mine = await takeTurn();
    if (!mine) return leave();
    subscriber ??= await listen();
    if (Date.now() - searchedAt < SEARCH_EVERY_MS) return;
    searchedAt = Date.now();
    const adopted = await adoptAllExternal(db);
    if (adopted > 0) log.info({ adopted }, 'findings of other programs adopted');
    await parts.alsoSearch?.();
  }

  async function takeTurn(): Promise<boolean> {
    if ((await redis.set(key, owner, 'PX', TURN_MS, 'NX')) !== null) return true;
    const holder = await redis.get(key);
    const givesWay = patienceMs === 0 && holder?.startsWith(PATIENT) === true;
    if (holder !== owner && !givesWay) return false;
    await redis.set(key, owner, 'PX', TURN_MS); // two at once, should it change just now, do no harm: each finding is adopted once
    return true;
  }

  async function listen(): Promise<Redis> {
    const connection = await connectRedis(url, { role: 'worker', log, name: 'fleet-foreign' });
    connection.on('message', (_channel, id: string) => {
      announced.add(id);
      adopting ??= adoptAnnounced().finally(() => (adopting = null));
    });
    connection.on('ready', () => (searchedAt = 0)); // what was announced while the connection was away
    await connection.subscribe(keys.channelFindings);
    return connection;
  }

  async function adoptAnnounced(): Promise<void> {
    while (announced.size > 0) {
      await sleep(GATHER_MS);
      const ids = [...announced];
      announced.clear();
      await adoptExternal(db, ids).catch((error: unknown) => {
        searchedAt = 0; // the next search finds them
        log.warn({ error }, 'announced findings not adopted');
      });
    }
  }

  function leave(): void {
    subscriber?.disconnect();
    subscriber = null;
    searchedAt = 0;
  }

  function start(): void {
    if (stopped) return;
    ticking ??= tick()
      .catch((error: unknown) =>
        log.warn({ error }, 'looking for findings of other programs failed; it is tried again'),
      )
      .finally(() => (ticking = null));
  }

  let timer: NodeJS.Timeout | undefined;
  const beginning = setTimeout(() => {
    start();
    timer = setInterval(start, RENEW_EVERY_MS);
  }, patienceMs);
  return async () => {
    stopped = true;
    clearTimeout(beginning);
    clearInterval(timer);
    await ticking;
    await adopting;
    const mine = subscriber !== null;
    leave();
    if (mine && (await redis.get(key)) === owner) await redis.del(key);
  };
}
