import type { QueueName } from '../../../queues/registry.ts';
import { parseHalt } from '../../halt/halt.ts';
import { toNanoUsd } from '../../pricing/money.ts';
import { ALIVE_FOR_MS } from '../../swarm/presence.ts';
import { toCompaction } from './compaction.ts';
import { countParked, groupParked, parseWorkers } from './parse-records.ts';
import type { ShardLimits } from '../../librarian/gate/shard-project.ts';
import { NEWEST_MISSIONS, readMissionLines } from './missions.ts';
import type { Db } from '../../redis/db.ts';
import { QUEUE_NAMES, readQueues } from './queues.ts';
import { runPipeline } from './run-pipeline.ts';
import { readSaving } from './saving.ts';
import { readShards } from './shards.ts';
import { VENDORS, type StatusSnapshot, type Vendor, type VendorSpend } from '../types.ts';

export interface StatusOptions {
  /** What limits a day where `fleet budget` never set one. Nano-dollars. */
  defaultDayLimitNanoUsd?: number;
  /** Model that savings are told against; none: no saving is told. */
  sonnetModel?: string;
  /** The Gemini keys configured. None: no librarians. */
  shards?: readonly ShardLimits[];
}

/** Failed jobs looked at for their reasons, per queue; also the most parked jobs that are grouped. Keeps the read bounded. */
const SAMPLE = 1_000;

/**
 * Reads the whole state of the fleet: a fixed number of Redis commands in two round trips, whatever the number of
 * findings and jobs. No SCAN, no KEYS. A session with rework takes two more, over its days' ledgers.
 */
export async function readStatus(db: Db, options: StatusOptions): Promise<StatusSnapshot> {
  const { keys } = db;
  const [first, counts, reasons] = await Promise.all([
    readFacts(db),
    readQueues(db),
    Promise.all(QUEUE_NAMES.map((queue) => readReasons(db, queue))),
  ]);
  const now = Number(first.time[0]) * 1_000 + Math.floor(Number(first.time[1]) / 1_000);
  const day = new Date(now).toISOString().slice(0, 10);
  const session = first.session['name'] ?? null;
  const second = await readDependentFacts(db, { ...first, now, day, session }, options.shards ?? []);

  const workers = parseWorkers(first.workers, now);
  const tasks = counts.find((queue) => queue.name === 'tasks');
  const waitingFor = (queue: QueueName, kind: string): number => {
    const isUp = Object.entries(first.attendants).some(
      ([id, at]) => id.startsWith(kind) && now - Number(at) < ALIVE_FOR_MS,
    );
    return isUp ? 0 : (counts.find(({ name }) => name === queue)?.waiting ?? 0);
  };
  for (const queue of counts) {
    // A parked job is a delayed one to BullMQ. Too many to look at are taken for tasks.
    const tooMany = queue.name === 'tasks' && second.parked.length === 0;
    queue.parked = Math.min(tooMany ? first.parkedCount : countParked(second.parked, queue.name), queue.delayed);
    queue.delayed -= queue.parked;
  }
  const rework = {
    nanoUsd: Number(second.totals['rework:nano'] ?? 0),
    tasks: Number(second.totals['rework:tasks'] ?? 0),
  };
  const isTold = rework.tasks > 0 && session !== null && options.sonnetModel !== undefined;
  const saving = isTold
    ? await readSaving(
        db,
        { name: session, startedAt: first.session['startedAt'] ?? null },
        { sonnetModel: options.sonnetModel ?? '', now: new Date(now) },
      )
    : null;
  const { uncertain_calls: uncertainCalls = 0, ...counters } = countersOf(first.counters);
  return {
    at: new Date(now).toISOString(),
    swarm: keys.swarm,
    kind: first.kind === 'real' || first.kind === 'simulated' ? first.kind : null,
    session: { name: session, startedAt: first.session['startedAt'] ?? null },
    findings: {
      live: first.live,
      sinceSession: Number(first.session['findings'] ?? 0),
      contextTokens: Number(first.contextTokens ?? 0) || 0, // other programs may write it too
    },
    compaction: toCompaction(first.live, first),
    workers,
    shards: second.shards,
    queues: counts,
    spend: spendOf(first.costs, second.totals, first.booked),
    coordinator: {
      nanoUsd: Number(second.totals['coordinator:nano'] ?? 0),
      tokens: Number(second.totals['coordinator:tokens'] ?? 0),
      calls: Number(second.totals['coordinator:calls'] ?? 0),
    },
    rework,
    saving,
    missions: second.missions,
    halt: first.halt === null ? null : parseHalt(first.halt),
    parked: groupParked(second.parked),
    failed: reasons.flat().sort((a, b) => b.count - a.count),
    failedSampled: SAMPLE,
    counters,
    uncertain: { callCount: uncertainCalls, todayNanoUsd: Number(second.spent['uncertain'] ?? 0) },
    budget: {
      day,
      limitNanoUsd: limitOf(first.budget['day'], options.defaultDayLimitNanoUsd),
      settledNanoUsd: Number(second.spent['settled'] ?? 0),
      reservedNanoUsd: Number(second.spent['reserved'] ?? 0),
      uncertainNanoUsd: Number(second.spent['uncertain'] ?? 0),
    },
    cooling: second.cooling,
    tasksWithoutWorker: workers.length === 0 ? (tasks?.waiting ?? 0) : 0,
    questionsWithoutLibrarian: waitingFor('archive', 'librarian_'),
    missionsWithoutCoordinator: waitingFor('missions', 'coordinator_'),
  };
}

async function readFacts({ redis, keys }: Db) {
  const replies = await runPipeline(
    redis
      .pipeline()
      .time()
      .zcard(keys.index)
      .get(keys.contextActive)
      .hgetall(keys.session)
      .hgetall(keys.workers)
      .hgetall(keys.budget)
      .hgetall(keys.counters)
      .get(keys.haltReason)
      .hlen(keys.parked)
      .hgetall(keys.modelsInUse)
      .hget(keys.swarmMark, 'kind')
      .zrevrange(keys.missions, 0, NEWEST_MISSIONS - 1)
      .mget(VENDORS.map((vendor) => keys.cost(vendor)))
      .hgetall(keys.compaction)
      .exists(keys.turnOf('compaction'))
      .hgetall(keys.booked)
      .hgetall(keys.attendants),
  );
  return {
    time: replies[0] as [string, string],
    live: replies[1] as number,
    contextTokens: replies[2] as string | null,
    session: replies[3] as Record<string, string>,
    workers: replies[4] as Record<string, string>,
    budget: replies[5] as Record<string, string>,
    counters: replies[6] as Record<string, string>,
    halt: replies[7] as string | null,
    parkedCount: replies[8] as number,
    models: Object.keys(replies[9] as Record<string, string>).sort(),
    kind: replies[10] as string | null,
    missionIds: replies[11] as string[],
    costs: replies[12] as (string | null)[],
    compaction: replies[13] as Record<string, string>,
    isCondensing: replies[14] === 1,
    booked: replies[15] as Record<string, string>,
    attendants: replies[16] as Record<string, string>,
  };
}

async function readDependentFacts(
  db: Db,
  facts: {
    now: number;
    day: string;
    session: string | null;
    models: string[];
    parkedCount: number;
    missionIds: string[];
  },
  configured: readonly ShardLimits[],
) {
  const { redis, keys } = db;
  const pipeline = redis
    .pipeline()
    .hgetall(keys.sessionTotals(facts.session ?? ''))
    .hgetall(keys.spend(`day:${facts.day}`));
  for (const model of facts.models) pipeline.pttl(keys.cooldown(model));
  const askParked = facts.parkedCount > 0 && facts.parkedCount <= SAMPLE;
  if (askParked) pipeline.hvals(keys.parked);
  const [replies, shards, missions] = await Promise.all([
    runPipeline(pipeline),
    readShards(db, configured, facts.now),
    readMissionLines(db, facts.missionIds),
  ]);
  const waits = replies.slice(2, 2 + facts.models.length) as number[];
  return {
    shards,
    missions,
    totals: replies[0] as Record<string, string>,
    spent: replies[1] as Record<string, string>,
    cooling: facts.models.map((model, i) => ({ model, forMs: waits[i] ?? 0 })).filter((wait) => wait.forMs > 0),
    parked: askParked ? (replies.at(-1) as string[]) : [],
  };
}

async function readReasons({ keys, scripts }: Db, queue: QueueName) {
  const flat = (await scripts['failure-reasons'](
    [keys.queueKey(queue, 'failed')],
    [keys.queueKey(queue, ''), SAMPLE],
  )) as (string | number)[];
  return Array.from({ length: flat.length / 2 }, (_, i) => ({
    queue,
    reason: String(flat[2 * i]),
    count: Number(flat[2 * i + 1]),
  }));
}

/**
 * @param costs what `cost:*` says, in the order of VENDORS; decimals that other programs may have added to
 * @param booked what the fleet itself has put there since the session began, also for work of other sessions
 */
function spendOf(
  costs: (string | null)[],
  totals: Record<string, string>,
  booked: Record<string, string>,
): Record<Vendor, VendorSpend> {
  const entries = VENDORS.map((vendor, i): [Vendor, VendorSpend] => {
    const ofSession = Number(totals[`${vendor}:nano`] ?? 0) + Number(totals[`${vendor}:lead_nano`] ?? 0);
    const own = Math.max(ofSession, Number(booked[vendor] ?? 0)); // an older version counted by session only
    const nanoUsd = readDollars(costs[i] ?? null) ?? own;
    return [
      vendor,
      {
        nanoUsd,
        externalNanoUsd: Math.abs(nanoUsd - own) > 1 ? nanoUsd - own : 0,
        tokens: Number(totals[`${vendor}:tokens`] ?? 0),
        tasks: Number(totals[`${vendor}:tasks`] ?? 0),
      },
    ];
  });
  return Object.fromEntries(entries) as Record<Vendor, VendorSpend>;
}

/** Null where another program left something that is no number. */
function readDollars(text: string | null): number | null {
  try {
    return toNanoUsd(text ?? '0');
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function countersOf(hash: Record<string, string>): Record<string, number> {
  const entries = Object.entries(hash).map(([name, value]): [string, number] => [name, Number(value)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== 0).sort(([a], [b]) => a.localeCompare(b)));
}

function limitOf(stored: string | undefined, fallback: number | undefined): number | null {
  return stored === undefined ? (fallback ?? null) : Number(stored);
}
