import { readOldWorkers } from '../../findings/external/old-workers.ts';
import { readHalt } from '../../halt/halt.ts';
import { MOST_REASONS, readWaits } from '../../jobs/wake/read-waits.ts';
import { UNCERTAIN_PAUSE } from '../../ledger/refusals.ts';
import type { ShardLimits } from '../../librarian/gate/shard-project.ts';
import { readShardKeyConflicts } from '../../librarian/opening/shard-keys.ts';
import { readPacing } from '../../pacing/read-pacing.ts';
import type { Db } from '../../redis/db.ts';
import { readMany } from '../../redis/read-many.ts';
import { readDamagedKeys } from '../../swarm/damage/damaged-keys.ts';
import { readForeignKeys } from '../../swarm/damage/foreign-keys.ts';
import type { StatusSnapshot } from '../types.ts';
import { NEWEST_BATCHES, readBatchLines } from './batches.ts';
import { MOST_SET_ASIDE, NEWEST_MISSIONS, readMissionLines } from './missions.ts';
import { SAMPLE } from './queues.ts';
import { readRuleLines } from './rules.ts';
import { readShards } from './shards.ts';
import { listVendors } from './spend.ts';
import { toStoredCount } from '../../redis/stored-record.ts';

/** What the first round trip reads, and what is known with it. */
export type Facts = Awaited<ReturnType<typeof readFacts>>;

/** Reads what depends on nothing else: one round trip. */
export async function readFacts({ redis, keys }: Db) {
  const { time, session, modelsInUse, isCondensing, ...replies } = await readMany(redis, {
    time: (r) => r.time(),
    live: (r) => r.zcard(keys.index),
    contextTokens: (r) => r.mget(keys.contextActive), // null where it holds no text
    session: (r) => r.hgetall(keys.session),
    workers: (r) => r.hgetall(keys.workers),
    limits: (r) => r.hgetall(keys.budget),
    counters: (r) => r.hgetall(keys.counters),
    parkedCount: (r) => r.hlen(keys.parked),
    modelsInUse: (r) => r.hgetall(keys.modelsInUse),
    paced: (r) => r.hgetall(keys.paced),
    kind: (r) => r.hget(keys.swarmMark, 'kind'),
    missionIds: (r) => r.zrevrange(keys.missions, 0, NEWEST_MISSIONS - 1),
    setAside: (r) => r.zrevrange(keys.queueKey('missions', 'delayed'), 0, MOST_SET_ASIDE - 1), // a person’s come last in time
    batchNames: (r) => r.zrevrange(keys.batches, 0, NEWEST_BATCHES - 1),
    ruleNames: (r) => r.zrange(keys.rules, '0', '-1'),
    parkedChains: (r) => r.hlen(keys.rulesParked),
    olderTasks: (r) => r.hlen(keys.bridge('older')),
    heldTasks: (r) => r.hlen(keys.bridge('held')),
    compaction: (r) => r.hgetall(keys.compaction),
    isCondensing: (r) => r.exists(keys.lease('compaction')),
    booked: (r) => r.hgetall(keys.booked),
    attendants: (r) => r.hgetall(keys.attendants),
    shardKeys: (r) => r.hgetall(keys.shardKeys),
    openPatches: (r) => r.zcard(keys.patches),
    patchConflicts: (r) => r.scard(keys.patchConflicts),
    treeHosts: (r) => r.hgetall(keys.treeHosts),
    otherSwarms: (r) => r.hgetall(keys.otherSwarms),
    waits: (r) => r.zrange(keys.waits, '0', String(MOST_REASONS - 1)),
    hostClocks: (r) => r.hgetall(keys.hostClocks),
    unreadable: (r) => r.scard(keys.unreadable),
    oldWorkers: (r) => r.hgetall(keys.oldWorkers),
  });
  const [seconds = 0, microseconds = 0] = time.map(Number);
  const now = seconds * 1_000 + Math.floor(microseconds / 1_000);
  return {
    ...replies,
    /** Redis' clock, ms since 1970. */
    now,
    /** The UTC day of it. */
    day: new Date(now).toISOString().slice(0, 10),
    session: {
      name: session['name'] ?? null,
      startedAt: session['startedAt'] ?? null,
      findings: toStoredCount(session['findings']),
      partial: toStoredCount(session['partial']),
      toolErrors: toStoredCount(session['tool_errors']),
    },
    models: Object.keys(modelsInUse).sort(),
    isCondensing: isCondensing === 1,
  };
}

/** Reads what the first round trip has named: the session, the day, models, missions and shards. One round trip more. */
export async function readNamedFacts(db: Db, facts: Facts, configured: readonly ShardLimits[]) {
  const { redis, keys } = db;
  const shards = configured.map(({ number }) => number);
  const vendors = listVendors(facts.booked, {});
  const { money, foreignKeys, damagedKeys, ...named } = await awaitAll({
    halt: readHalt(db),
    foreignKeys: readForeignKeys(db, { shards, vendors }),
    damagedKeys: readDamagedKeys(db, facts.session.name),
    money: readMany(redis, {
      costs: (r) => r.mget(vendors.map((vendor) => keys.cost(vendor))),
      totals: (r) => r.hgetall(keys.sessionTotals(facts.session.name ?? '')),
      spent: (r) => r.hgetall(keys.spend(`day:${facts.day}`)),
    }),
    cooling: readCoolingModels(db, facts.models),
    pacing: readPacing(db, facts.paced, facts.now),
    parked: readParked(db, facts.parkedCount),
    shards: readShards(db, configured, facts.now),
    missions: readMissionLines(db, facts.missionIds, facts.setAside),
    batches: readBatchLines(db, facts.batchNames, facts),
    rules: readRuleLines(db, facts.ruleNames, facts.parkedChains),
    waits: readWaits(db, facts.waits, facts.now),
    oldWorkers: readOldWorkers(db, facts.oldWorkers, facts.workers),
    keyConflicts: readShardKeyConflicts(db, facts.shardKeys, facts.now),
  });
  const { costs, ...amounts } = money;
  return {
    ...amounts,
    ...named,
    /** By vendor, the text of `cost:*`; no number where another program's value is in its place. */
    costs: new Map(
      vendors.map((vendor, i): [string, string | null] => [
        vendor,
        foreignKeys.some(({ key }) => key === keys.cost(vendor)) ? 'foreign' : (costs[i] ?? null),
      ]),
    ),
    foreignKeys: [...foreignKeys, ...damagedKeys],
  };
}

/** Waits for all at once: their commands share round trips. */
async function awaitAll<R extends Record<string, Promise<unknown>>>(
  reads: R,
): Promise<{ [Name in keyof R]: Awaited<R[Name]> }> {
  const values = await Promise.all(Object.values(reads));
  const entries = Object.keys(reads).map((name, i): [string, unknown] => [name, values[i]]);
  return Object.fromEntries(entries) as { [Name in keyof R]: Awaited<R[Name]> };
}

async function readCoolingModels({ redis, keys }: Db, models: string[]): Promise<StatusSnapshot['cooling']> {
  const all = await Promise.all(
    models.map(async (model) => {
      const [forMs, why] = await Promise.all([redis.pttl(keys.cooldown(model)), redis.get(keys.cooldown(model))]);
      return { model, forMs, isForMoney: why === UNCERTAIN_PAUSE };
    }),
  );
  return all.filter(({ forMs }) => forMs > 0);
}

/** Records of the parked jobs; none where they are too many to read. */
async function readParked({ redis, keys }: Db, count: number): Promise<string[]> {
  return count > 0 && count <= SAMPLE ? redis.hvals(keys.parked) : [];
}
