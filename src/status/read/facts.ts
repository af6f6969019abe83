import { UNCERTAIN_PAUSE } from '../../ledger/refusals.ts';
import type { ShardLimits } from '../../librarian/gate/shard-project.ts';
import { readPacing } from '../../pacing/read-pacing.ts';
import type { Db } from '../../redis/db.ts';
import { readMany } from '../../redis/read-many.ts';
import { VENDORS, type StatusSnapshot } from '../types.ts';
import { NEWEST_MISSIONS, readMissionLines } from './missions.ts';
import { SAMPLE } from './queues.ts';
import { readShards } from './shards.ts';

/** What the first round trip reads, and what is known with it. */
export type Facts = Awaited<ReturnType<typeof readFacts>>;

/** Reads what depends on nothing else: one round trip. */
export async function readFacts({ redis, keys }: Db) {
  const { time, session, modelsInUse, isCondensing, ...replies } = await readMany(redis, {
    time: (r) => r.time(),
    live: (r) => r.zcard(keys.index),
    contextTokens: (r) => r.get(keys.contextActive),
    session: (r) => r.hgetall(keys.session),
    workers: (r) => r.hgetall(keys.workers),
    limits: (r) => r.hgetall(keys.budget),
    counters: (r) => r.hgetall(keys.counters),
    halt: (r) => r.get(keys.haltReason),
    parkedCount: (r) => r.hlen(keys.parked),
    modelsInUse: (r) => r.hgetall(keys.modelsInUse),
    paced: (r) => r.hgetall(keys.paced),
    kind: (r) => r.hget(keys.swarmMark, 'kind'),
    missionIds: (r) => r.zrevrange(keys.missions, 0, NEWEST_MISSIONS - 1),
    costs: (r) => r.mget(VENDORS.map((vendor) => keys.cost(vendor))),
    compaction: (r) => r.hgetall(keys.compaction),
    isCondensing: (r) => r.exists(keys.lease('compaction')),
    booked: (r) => r.hgetall(keys.booked),
    attendants: (r) => r.hgetall(keys.attendants),
    openPatches: (r) => r.zcard(keys.patches),
    patchConflicts: (r) => r.scard(keys.patchConflicts),
    treeHosts: (r) => r.hgetall(keys.treeHosts),
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
      findings: Number(session['findings'] ?? 0),
      partial: Number(session['partial'] ?? 0),
      toolErrors: Number(session['tool_errors'] ?? 0),
    },
    models: Object.keys(modelsInUse).sort(),
    isCondensing: isCondensing === 1,
  };
}

/** Reads what the first round trip has named: the session, the day, models, missions and shards. One round trip more. */
export async function readNamedFacts(db: Db, facts: Facts, configured: readonly ShardLimits[]) {
  const { redis, keys } = db;
  const [money, cooling, pacing, parked, shards, missions] = await Promise.all([
    readMany(redis, {
      totals: (r) => r.hgetall(keys.sessionTotals(facts.session.name ?? '')),
      spent: (r) => r.hgetall(keys.spend(`day:${facts.day}`)),
    }),
    readCoolingModels(db, facts.models),
    readPacing(db, facts.paced, facts.now),
    readParked(db, facts.parkedCount),
    readShards(db, configured, facts.now),
    readMissionLines(db, facts.missionIds),
  ]);
  return { ...money, cooling, pacing, parked, shards, missions };
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
