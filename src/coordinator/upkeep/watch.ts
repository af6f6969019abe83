import type { Db } from '../../redis/db.ts';
import { missionsQueue } from '../../../queues/missions.ts';
import { oncePerFleet } from '../../swarm/upkeep.ts';
import { delegateReady, type DelegatedMission, type DelegateParts } from '../delegate/delegate.ts';
import { countNodeStates } from '../mission/nodes.ts';
import { readMission, writeMission } from '../mission/record.ts';
import { reportBlocked, type ReportParts } from './blocked.ts';
import { markOrphaned } from './mark-orphaned.ts';
import { wakeMission } from './wake.ts';

export interface WatchParts extends DelegateParts, ReportParts {}

export interface MissionWatch {
  /** Tells it of a mission that begins to wait for its tasks: it need not be found first. */
  noteWaiting(mission: DelegatedMission): void;
  /** Tells it that a task has ended: those that waited for it are put into the queue at once. */
  noteEnd(jobId: string): void;
  stop(): Promise<void>;
}

/** What no message told is found this often. */
const SWEEP_EVERY_MS = 2_000;
const PRUNE_EVERY_MS = 10 * 60_000;
/** Ends of tasks are gathered so long before those that waited for them are put into the queue. */
const GATHER_MS = 100;
/** A mission is not looked at again before so many times what the last look took: large missions are looked at seldom. */
const REST_FACTOR = 10;

/**
 * Looks after the missions that wait for their tasks and hold no slot. Tasks that depend on others are put into the queue
 * as soon as those are done; a mission that BullMQ forgot to wake is woken; one whose tasks cannot come is reported.
 * Messages only hasten: the sweep finds the same, and is the truth.
 */
export function watchMissions(parts: WatchParts): MissionWatch {
  const { db, log, now } = parts;
  const { redis, keys } = db;
  const known = new Map<string, DelegatedMission>(); // plans do not change once they are stored
  const dirty = new Set<string>();
  const restUntil = new Map<string, number>();
  let gathering: NodeJS.Timeout | null = null;
  let underWay: Promise<void> = Promise.resolve();
  let stopped = false;

  async function load(id: string): Promise<DelegatedMission | null> {
    const found = known.get(id);
    if (found !== undefined) return found;
    const record = await readMission(db, id);
    if (record === null || record.nodes.length === 0) return null;
    const data = await parts.queues.missions.getJob(id);
    const topics: unknown = Reflect.get(Object(data?.data), 'topics');
    const mission = {
      id,
      session: record.session,
      workspace: record.workspace,
      topics: Array.isArray(topics) ? topics.map(String) : [],
      nodes: record.nodes,
    };
    known.set(id, mission);
    return mission;
  }

  /** Puts into the queue what became ready, and notes how far the mission is. */
  async function release(id: string): Promise<void> {
    if (stopped || Date.now() < (restUntil.get(id) ?? 0)) return;
    const startedAt = Date.now();
    const [state, cancelled] = await Promise.all([
      redis.hget(keys.mission(id), 'state'),
      redis.zscore(keys.cancelled, id),
    ]);
    const mission = state === 'running' && cancelled === null ? await load(id) : null;
    if (mission === null) return;
    const counts = countNodeStates(await delegateReady(parts, mission));
    if (await isWaiting(id)) await writeMission(db, id, { counts, added: counts.added }, now());
    restUntil.set(id, Date.now() + REST_FACTOR * (Date.now() - startedAt));
  }

  async function isWaiting(id: string): Promise<boolean> {
    return (await redis.zscore(keys.queueKey(missionsQueue.name, 'waiting-children'), id)) !== null;
  }

  async function sweep(): Promise<void> {
    const waiting = await redis.zrange(keys.queueKey(missionsQueue.name, 'waiting-children'), '0', '-1');
    for (const id of known.keys()) if (!waiting.includes(id)) forget(id);
    for (const id of waiting) {
      if (stopped) return;
      try {
        await release(id);
        await wakeMission(parts, id);
        await reportBlocked(parts, id);
      } catch (error) {
        log.warn({ mission: id, error }, 'a mission could not be looked after; the others are'); // its own record is damaged, say
      }
    }
    await markOrphaned(parts);
  }

  function forget(id: string): void {
    known.delete(id);
    restUntil.delete(id);
    dirty.delete(id);
  }

  function releaseDirty(): void {
    gathering = null;
    const ids = [...dirty];
    dirty.clear();
    underWay = underWay.then(async () => {
      for (const id of ids) {
        await release(id).catch((error: unknown) =>
          log.warn({ mission: id, error }, 'tasks that became ready were not added; the next sweep finds them'),
        );
      }
    });
  }

  const stopSweeping = oncePerFleet(
    { redis, key: keys.turnOf('missions'), everyMs: SWEEP_EVERY_MS, what: 'looking after missions', log },
    sweep,
  );

  const stopPruning = oncePerFleet(
    { redis, key: keys.turnOf('old-missions'), everyMs: PRUNE_EVERY_MS, what: 'forgetting old missions', log },
    () => pruneMissions(db, now()),
  );

  return {
    noteWaiting(mission) {
      known.set(mission.id, mission);
    },
    noteEnd(jobId) {
      const id = jobId.slice(0, Math.max(0, jobId.lastIndexOf('-')));
      if (stopped || !(known.get(id)?.nodes.some((node) => node.dependsOn.length > 0) ?? false)) return;
      dirty.add(id);
      gathering ??= setTimeout(releaseDirty, GATHER_MS);
    },
    async stop() {
      stopped = true;
      if (gathering !== null) clearTimeout(gathering);
      await Promise.all([stopSweeping(), stopPruning(), underWay]);
    },
  };
}

/** A mission that has ended is listed so long; its finding stays for good. */
const KEEP_MS = 90 * 24 * 3600_000;
/** So many are looked at in one go. */
const PAGE = 100;

/** Forgets missions that ended long ago: record, drafts, marks. What they cost stays booked. @returns how many */
export async function pruneMissions({ redis, keys }: Db, now: Date): Promise<number> {
  const ids = await redis.zrangebyscore(keys.missions, '-inf', now.getTime() - KEEP_MS, 'LIMIT', 0, PAGE);
  let pruned = 0;
  for (const id of ids) {
    const [state, endedAt] = await redis.hmget(keys.mission(id), 'state', 'endedAt');
    const isOver = (state === 'done' || state === 'failed') && Date.parse(endedAt ?? '') < now.getTime() - KEEP_MS;
    if (state !== null && !isOver) continue;
    // The list last: a process that dies in between leaves what is found again.
    await redis.del(keys.mission(id), keys.missionAdded(id), keys.paper(id), keys.turns(id));
    await redis.zrem(keys.missions, id);
    pruned += 1;
  }
  return pruned;
}
