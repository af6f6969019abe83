import type { Redis } from 'ioredis';
import { repeat } from '../process/repeat.ts';
import type { OldTaskPlace } from '../bridge/old-task.ts';
import { takeArchiveQueries, tellArchiveAnswers } from './archive-queries.ts';
import { takeAssists, tellSolutions } from './assists.ts';
import { tellShards } from './shard-answers.ts';
import { createShardTasks } from './shard-tasks.ts';
import type { V2Parts } from './types.ts';

/** How often the lists are looked at: old programs announce nothing there, and look every second or two themselves. */
const LOOK_EVERY_MS = 500;
/** A task may be set back to `pending` at a place that was read before. */
const READ_ANEW_MS = 10 * 60_000;

/**
 * Serves the second version of the old programs from now on: tasks of memory shards, questions in `queue:archive_query`, workers
 * that ask for help. Several processes may do so at once.
 * @param subscriber a connection that only subscribes
 * @returns stops it, and waits for work that is under way
 */
export async function serveV2(parts: V2Parts & OldTaskPlace, subscriber: Redis): Promise<() => Promise<void>> {
  const { db, log } = parts;
  const { keys } = db;
  const tasks = createShardTasks(parts);
  const every = { everyMs: LOOK_EVERY_MS, firstAfterMs: 0, log };
  const tell = {
    shards: () => tellShards(db),
    archive: () => tellArchiveAnswers(parts),
    assists: () => tellSolutions(parts),
  };
  const tellSoon = (...tellers: (() => Promise<unknown>)[]): void => {
    for (const teller of tellers) void teller().catch(() => undefined); // the next look reports what is wrong
  };
  const hear = (channel: string): void => {
    if (channel === keys.channelCompletions) tellSoon(tell.shards, tell.assists);
    if (channel === keys.channelResponses) tellSoon(tell.archive);
  };
  subscriber.on('message', hear);
  await subscriber.subscribe(keys.channelCompletions, keys.channelResponses);
  const stops = [
    repeat({ ...every, what: 'serving memory shards' }, async () => {
      await tasks.take();
      await tell.shards();
    }),
    repeat({ ...every, what: 'serving queue:archive_query' }, async () => {
      await takeArchiveQueries(parts);
      await tell.archive();
    }),
    repeat({ ...every, what: 'helping old workers' }, async () => {
      await takeAssists(parts);
      await tell.assists();
    }),
    repeat({ ...every, everyMs: READ_ANEW_MS, what: 'reading the lists of memory shards anew' }, async () => {
      tasks.reset();
      await tasks.recover();
    }),
  ];
  return async () => {
    subscriber.off('message', hear);
    await Promise.all(stops.map((stop) => stop()));
  };
}
