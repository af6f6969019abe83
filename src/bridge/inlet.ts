import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from '../process/logger.ts';
import { startUpkeep } from '../swarm/upkeep.ts';
import { countOf } from '../text/plural.ts';
import { enqueueOldTasks, type EnqueueParts, type FoundBy } from './enqueue.ts';
import type { OldTaskPlace } from './old-task.ts';
import { readOldTasks } from './read-tasks.ts';
import { scanOldTasks, surveyOldTasks } from './survey.ts';

/** How often all `task:*` are looked at: a program may post a task without announcing it. */
const SWEEP_EVERY_MS = 10 * 60_000;
/** Most announced tasks that are read at once. */
const MOST_AT_ONCE = 200;
const TRY_AGAIN_MS = 1_000;

export interface InletParts extends EnqueueParts, OldTaskPlace {
  log: Logger;
}

/**
 * Takes the tasks of other programs from now on: those that are announced at once, others by a sweep at the start, after each outage
 * of the connection, and every ten minutes in one process of the swarm. At the bridge's first start in a swarm it takes none of
 * those that lie there: it lists them (`surveyOldTasks`).
 * @param subscriber a connection that only subscribes
 * @returns stops it, and waits for work that is under way
 */
export async function watchOldTasks(parts: InletParts, subscriber: Redis): Promise<() => Promise<void>> {
  const { db, log } = parts;
  const { keys } = db;
  const announced = new Set<string>();
  const ending = new AbortController();
  let taking: Promise<void> | null = null;

  async function takeAnnounced(): Promise<void> {
    while (announced.size > 0 && !ending.signal.aborted) {
      const ids = [...announced].slice(0, MOST_AT_ONCE);
      for (const id of ids) announced.delete(id);
      try {
        await takeOldTasks(parts, ids, 'announced');
      } catch (error) {
        log.warn({ error }, 'announced tasks of other programs were not taken; they are tried again');
        for (const id of ids) announced.add(id);
        await sleep(TRY_AGAIN_MS);
      }
    }
  }
  const takeSoon = (): void => void (taking ??= takeAnnounced().finally(() => (taking = null)));
  const warn = (error: unknown): void => log.warn({ error }, 'tasks of other programs were not looked for');
  const sweep = async (): Promise<void> => {
    const added = await sweepOldTasks(parts);
    if (added > 0) log.info({ added }, `${countOf(added, 'task')} of other programs found that were not heard`);
  };

  const hear = (channel: string, id: string): void => {
    if (channel !== keys.channelTasks || id === '') return;
    announced.add(id);
    if (isReady) takeSoon();
  };
  let isReady = false;
  const sweepAgain = (): void => {
    if (isReady) void sweep().catch(warn);
  };
  subscriber.on('message', hear);
  subscriber.on('ready', sweepAgain); // after a reconnection: what was announced meanwhile was not heard
  // Both in one command: what listens to the first and not to the second is another program.
  await subscriber.subscribe(keys.channelTasks, keys.channelBridge);
  const older = await surveyOldTasks(parts, announced);
  if (older > 0)
    log.warn(`${countOf(older, 'task')} of other programs from before the bridge's first start: fleet bridge take`);
  isReady = true;
  takeSoon();
  await sweep();
  const stopSweeps = startUpkeep(
    { db, name: 'old-tasks', everyMs: SWEEP_EVERY_MS, what: 'looking for unheard tasks of other programs', log },
    sweep,
  );
  return async () => {
    ending.abort();
    subscriber.off('message', hear).off('ready', sweepAgain);
    await stopSweeps();
    await taking;
  };
}

/** Adds the tasks of these ids. @returns how many were new */
async function takeOldTasks(parts: InletParts, ids: readonly string[], by: FoundBy): Promise<number> {
  const tasks = await readOldTasks(parts, ids);
  const outcomes = await enqueueOldTasks(parts, tasks, by);
  return outcomes.filter((outcome) => outcome === 'added').length;
}

/** Adds what lies under `task:*` and was not heard. @returns how many */
async function sweepOldTasks(parts: InletParts): Promise<number> {
  let added = 0;
  for await (const ids of scanOldTasks(parts.db)) added += await takeOldTasks(parts, ids, 'found');
  return added;
}
