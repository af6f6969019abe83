import type { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../logger.ts';
import { connectRedis } from '../redis/connect.ts';
import { adoptAll, adoptFindings, type AdoptParts } from './adopt.ts';

/** Everything is looked through this often for what nobody announced. */
const SEARCH_EVERY_MS = 10 * 60_000;
/** A process that dies leaves the watch to another one after this long; the new one begins with a search. */
const TURN_MS = 15_000;
const RENEW_EVERY_MS = 5_000;
/** Announcements are gathered this long: the fleet's own come here too, thousands a second on a busy one. */
const GATHER_MS = 100;

export interface ForeignWatchParts extends AdoptParts {
  url: string;
  log: Logger;
  /** Work of the same rhythm, done with every search and by the same process. */
  alsoSearch?: () => Promise<unknown>;
}

/**
 * Adopts what other programs store: at once when it is announced, else by a search at the start and every ten minutes.
 * One process of the fleet does it at a time; any may call this.
 * @returns stops it, after what is under way
 */
export function watchForeignFindings(parts: ForeignWatchParts): () => Promise<void> {
  const { redis, keys, url, log } = parts;
  const key = keys.turnOf('foreign-findings');
  const owner = randomBytes(8).toString('hex');
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
    const adopted = await adoptAll(parts);
    if (adopted > 0) log.info({ adopted }, 'findings of other programs adopted');
    await parts.alsoSearch?.();
  }

  async function takeTurn(): Promise<boolean> {
    if ((await redis.set(key, owner, 'PX', TURN_MS, 'NX')) !== null) return true;
    if ((await redis.get(key)) !== owner) return false;
    await redis.pexpire(key, TURN_MS); // two at once, should it run out just now, do no harm: each finding is adopted once
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
      await adoptFindings(parts, ids).catch((error: unknown) => {
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

  start();
  const timer = setInterval(start, RENEW_EVERY_MS);
  return async () => {
    stopped = true;
    clearInterval(timer);
    await ticking;
    await adopting;
    const mine = subscriber !== null;
    leave();
    if (mine && (await redis.get(key)) === owner) await redis.del(key);
  };
}
