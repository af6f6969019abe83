import { missionsQueue } from '../../../queues/missions.ts';
import type { Db } from '../../redis/db.ts';
import { startUpkeep } from '../../swarm/upkeep.ts';
import type { DelegatedMission, DelegateParts } from '../delegate/delegate.ts';
import { KEEP_DAYS } from '../mission/missing.ts';
import { deleteMission, readMissionFields } from '../mission/record.ts';
import { reportBlocked, type ReportParts } from './blocked.ts';
import { markOrphaned } from './mark-orphaned.ts';
import { ReadyTasks } from './ready-tasks.ts';
import { wakeMission } from './wake.ts';

export interface WatchParts extends DelegateParts, ReportParts {}

export interface MissionWatch {
  /** Call it when a mission begins to wait for its tasks, so that the watch need not read the mission first. */
  noteWaiting(mission: DelegatedMission): void;
  /** Call it when a task has ended: the watch adds the tasks that became ready, without waiting for the next sweep. */
  noteEnd(jobId: string): void;
  stop(): Promise<void>;
}

/** Interval of the sweep, which finds what no message announced. */
const SWEEP_EVERY_MS = 2_000;
const PRUNE_EVERY_MS = 10 * 60_000;
/** How long ends of tasks are collected before the tasks that became ready are added. */
const GATHER_MS = 100;
const KEEP_MS = KEEP_DAYS * 24 * 3600_000;
/** Missions of one read. */
const PRUNE_PAGE = 100;

/**
 * Watches the missions that wait for their tasks and hold no slot. Adds tasks as soon as the tasks they depend on are done,
 * wakes a mission that BullMQ did not wake, and reports a mission whose tasks cannot run. Messages only make it faster: the
 * sweep finds everything without them.
 */
export function watchMissions(parts: WatchParts): MissionWatch {
  const { db, log, now } = parts;
  const { redis, keys } = db;
  const ready = new ReadyTasks(parts);
  const ended = new Set<string>(); // missions of which a task ended since the last time tasks were added
  let gathering: NodeJS.Timeout | null = null;
  let underWay: Promise<void> = Promise.resolve();
  let stopped = false;

  async function sweep(): Promise<void> {
    const waiting = await redis.zrange(keys.queueKey(missionsQueue.name, 'waiting-children'), '0', '-1');
    for (const id of ready.forgetExcept(waiting)) ended.delete(id);
    for (const id of waiting) {
      if (stopped) return;
      try {
        await ready.add(id);
        await wakeMission(parts, id);
        await reportBlocked(parts, id);
      } catch (error) {
        log.warn({ mission: id, error }, 'a mission could not be looked after; the others are'); // for example a damaged record
      }
    }
    await markOrphaned(parts);
  }

  async function addReady(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (stopped) return;
      await ready
        .add(id)
        .catch((error: unknown) =>
          log.warn({ mission: id, error }, 'tasks that became ready were not added; the next sweep finds them'),
        );
    }
  }

  function flushEnded(): void {
    gathering = null;
    const ids = [...ended];
    ended.clear();
    underWay = underWay.then(() => addReady(ids));
  }

  const stopSweeping = startUpkeep(
    { db, name: 'missions', everyMs: SWEEP_EVERY_MS, what: 'looking after missions', log },
    sweep,
  );
  const stopPruning = startUpkeep(
    { db, name: 'old-missions', everyMs: PRUNE_EVERY_MS, what: 'forgetting old missions', log },
    () => pruneMissions(db, now()),
  );

  return {
    noteWaiting: (mission) => ready.remember(mission),
    noteEnd(jobId) {
      const id = jobId.slice(0, Math.max(0, jobId.lastIndexOf('-')));
      if (stopped || !ready.hasDependencies(id)) return;
      ended.add(id);
      gathering ??= setTimeout(flushEnded, GATHER_MS);
    },
    async stop() {
      stopped = true;
      if (gathering !== null) clearTimeout(gathering);
      await Promise.all([stopSweeping(), stopPruning(), underWay]);
    },
  };
}

/** Deletes the records of missions that ended long ago. Their cost stays booked. @returns how many */
export async function pruneMissions(db: Db, now: Date): Promise<number> {
  const { redis, keys } = db;
  const before = now.getTime() - KEEP_MS;
  let pruned = 0;
  for (let from = 0; ; from += PRUNE_PAGE) {
    const ids = await redis.zrangebyscore(keys.missions, '-inf', before, 'LIMIT', from, PRUNE_PAGE);
    for (const id of ids) {
      const [state = null, endedAt = null] = await readMissionFields(db, id, 'state', 'endedAt');
      const isOver = (state === 'done' || state === 'failed') && Date.parse(endedAt ?? '') < before;
      if (state !== null && !isOver) continue; // a parked mission stays until a person ends it
      await deleteMission(db, id);
      pruned += 1;
      from -= 1;
    }
    if (ids.length < PRUNE_PAGE) return pruned;
  }
}
