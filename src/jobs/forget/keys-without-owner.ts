import type { Db } from '../../redis/db.ts';
import { findJobs } from './jobs-there.ts';

/** Keys of one step of SCAN. */
const PAGE = 1_000;
const DAY_SECONDS = 86_400;
/** After a day no limit looks at what it spent. A call that was served late may still be booked to it. */
const DAYS_OF_SPEND = 35;

/** A kind of key that belongs to something which ends. */
interface Family {
  prefix: string;
  /** A key without owner expires after this long, seconds. */
  keepSeconds: number;
  /** Whether the key may have a life time of its own while it has an owner, which then stays. Default false. */
  mayExpire?: boolean;
  /** Returns those of the names (keys without prefix) whose owner is still there. */
  findOwned(names: string[]): Promise<Set<string>>;
}

/**
 * Lets keys expire whose owner (job, client, batch, mission, session, day) is gone, and lets them stay if their owner is there again. Reads
 * the names of all keys once.
 * @returns how many keys will expire that had no end before
 */
export async function expireKeysWithoutOwner(db: Db, nowMs: number): Promise<number> {
  const { redis, keys } = db;
  const families = listFamilies(db, nowMs);
  let expiring = 0;
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${keys.bullPrefix}:*`, 'COUNT', PAGE);
    cursor = next;
    for (const family of families) {
      const names = found.filter((key) => key.startsWith(family.prefix)).map((key) => key.slice(family.prefix.length));
      if (names.length > 0) expiring += await settle(db, family, names);
    }
  } while (cursor !== '0');
  return expiring;
}

async function settle({ redis }: Db, family: Family, names: string[]): Promise<number> {
  const owned = await family.findOwned(names);
  const read = redis.pipeline();
  for (const name of names) read.ttl(`${family.prefix}${name}`);
  const ttls = ((await read.exec()) ?? []).map(([, ttl]) => Number(ttl));
  const change = redis.pipeline();
  let expiring = 0;
  for (const [i, name] of names.entries()) {
    const key = `${family.prefix}${name}`;
    const hasEnd = (ttls[i] ?? -1) >= 0;
    if (owned.has(name)) {
      if (hasEnd && !(family.mayExpire ?? false)) change.persist(key);
    } else if (!hasEnd) {
      change.expire(key, family.keepSeconds);
      expiring += 1;
    }
  }
  if (change.length > 0) await change.exec();
  return expiring;
}

function listFamilies(db: Db, nowMs: number): Family[] {
  const { keys } = db;
  const oldest = new Date(nowMs - DAYS_OF_SPEND * DAY_SECONDS * 1_000).toISOString().slice(0, 10);
  const byKey = (toKey: (name: string) => string) => (names: string[]) => findExisting(db, names, toKey);
  const byMission = byKey(keys.mission);
  const bySession = async (names: string[]): Promise<Set<string>> => {
    const current = await db.redis.hget(keys.session, 'name');
    return new Set(names.filter((name) => name === current));
  };
  const byJob = (names: string[]): Promise<Set<string>> => findJobs(db, names);
  return [
    {
      prefix: keys.turns(''),
      keepSeconds: 7 * DAY_SECONDS,
      mayExpire: true,
      findOwned: (ids) => findTurnOwners(db, ids),
    },
    { prefix: keys.spend('task:'), keepSeconds: DAY_SECONDS, findOwned: byJob },
    { prefix: keys.spend('client:'), keepSeconds: 90 * DAY_SECONDS, findOwned: (names) => findClients(db, names) },
    { prefix: keys.spend('rule:'), keepSeconds: 90 * DAY_SECONDS, findOwned: byKey(keys.rule) },
    { prefix: keys.spend('batch:'), keepSeconds: 90 * DAY_SECONDS, findOwned: byKey(keys.batch) },
    { prefix: keys.spend('mission:'), keepSeconds: 90 * DAY_SECONDS, findOwned: byMission },
    {
      prefix: keys.spend('day:'),
      keepSeconds: DAY_SECONDS,
      findOwned: async (days) => new Set(days.filter((day) => day >= oldest)),
    },
    { prefix: keys.missionAdded(''), keepSeconds: DAY_SECONDS, findOwned: byMission },
    { prefix: keys.paper(''), keepSeconds: DAY_SECONDS, findOwned: byMission },
    { prefix: keys.batchFailed(''), keepSeconds: 35 * DAY_SECONDS, findOwned: byKey(keys.batch) },
    { prefix: keys.sessionTotals(''), keepSeconds: 35 * DAY_SECONDS, findOwned: bySession },
    { prefix: keys.delegation(''), keepSeconds: 35 * DAY_SECONDS, findOwned: bySession },
  ];
}

/** A client that was removed, or that only a script names, may still have calls under way: its books stay until it has none. */
async function findClients({ redis, keys }: Db, names: string[]): Promise<Set<string>> {
  const chain = redis.pipeline();
  for (const name of names) chain.hget(keys.spend(`client:${name}`), 'reserved');
  const [records, reserved] = await Promise.all([redis.hmget(keys.clients, ...names), chain.exec()]);
  return new Set(names.filter((_, i) => records[i] !== null || Number(reserved?.[i]?.[1] ?? 0) > 0));
}

/** A compaction has no job: its pieces own its stored turns. */
async function findTurnOwners(db: Db, ids: string[]): Promise<Set<string>> {
  const owned = await findJobs(db, ids);
  const pieces = await db.redis.hmget(db.keys.compactionPieces, ...ids);
  for (const [i, id] of ids.entries()) if (pieces[i] !== null) owned.add(id);
  return owned;
}

async function findExisting({ redis }: Db, names: string[], toKey: (name: string) => string): Promise<Set<string>> {
  const chain = redis.pipeline();
  for (const name of names) chain.exists(toKey(name));
  const replies = (await chain.exec()) ?? [];
  return new Set(names.filter((_, i) => replies[i]?.[1] === 1));
}
