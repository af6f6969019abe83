import type { Queue } from 'bullmq';
import { undefinedOnAbort } from '../../process/abort.ts';
import type { Db } from '../../redis/db.ts';
import { followStreams, readStreamEnd } from '../../redis/streams.ts';
import { eachFailedJob } from './failed.ts';
import type { FailedJob, FailuresOptions } from './types.ts';

/** Jobs are in the order of the instants at which they failed; one may be stored this much later than a younger one. */
const LATE_MS = 60_000;
/** Without an event of a failure the failed jobs are read at most this often: a burst of events may have dropped one. */
const LOOK_AGAIN_MS = 2_000;

/**
 * Yields jobs of these queues as they fail, from this call on, until `signal` fires or the caller leaves the loop. A job that
 * is retried and fails again is yielded again. Each iteration has its own connection, which its first step opens.
 */
export function followFailures(
  { db, url, queues }: { db: Db; url: string; queues: readonly Queue[] },
  options: FailuresOptions,
  signal: AbortSignal,
): AsyncIterable<FailedJob> {
  const streams = queues.map(({ name }) => db.keys.queueKey(name, 'events'));
  const seen = new Map<string, number>();
  let since = 0;

  /** Failures that were not there at the last look. The events only tell when to look: they are trimmed. */
  async function* look(reader: Db): AsyncGenerator<FailedJob> {
    const from = since;
    since = reader.clock.now() - LATE_MS;
    for (const queue of queues) {
      for await (const job of eachFailedJob(reader, queue, options, from)) {
        const mark = `${queue.name} ${job.id} ${job.failedAt}`;
        if (seen.has(mark)) continue;
        seen.set(mark, Date.parse(job.failedAt));
        yield job;
      }
    }
    for (const [mark, at] of seen) if (at < since) seen.delete(mark);
  }

  async function open(): Promise<string[]> {
    const from = await Promise.all(streams.map((stream) => readStreamEnd(db.redis, stream)));
    if (options.existing === true) return from;
    since = db.clock.now() - LATE_MS;
    for await (const _failedBefore of look(db)); // notes them as seen
    return from;
  }

  const start = open();
  start.catch(() => undefined); // the first step awaits it and throws

  async function* follow(): AsyncGenerator<FailedJob> {
    const from = await start;
    if (options.existing === true) yield* look(db);
    let lookedAt = 0;
    for await (const { entries, connection } of followStreams(url, streams, { name: 'fleet-failures', signal, from })) {
      const hasFailure = entries.some(({ event }) => event === 'failed');
      if (!hasFailure && performance.now() - lookedAt < LOOK_AGAIN_MS) continue;
      lookedAt = performance.now();
      const looking = look({ ...db, redis: connection });
      let next = await undefinedOnAbort(looking.next(), signal);
      for (; next !== undefined && next.done !== true; next = await undefinedOnAbort(looking.next(), signal)) {
        yield next.value;
      }
    }
  }

  return follow();
}
