import { FleetError, RedisUnusableError, toMessage } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import { parseFinding } from '../../findings/stored.ts';
import { withOriginals } from '../../findings/condensed.ts';
import { toRedisError } from '../../redis/errors/redis-errors.ts';
import type { Db } from '../../redis/db.ts';
import { followStream } from '../../redis/streams.ts';
import { readEnds } from './states.ts';
import type { JobEnd } from './types.ts';

/** Notices that jobs of one queue have ended, for any number of waiters over one connection. */
export interface JobEnds {
  /** @returns how the job ended, or null when the time is over or `signal` fires */
  wait(jobId: string, options: WatchOptions): Promise<JobEnd | null>;
  /** All `wait` calls that are still open throw a FleetError. */
  close(): Promise<void>;
}

interface WatchOptions {
  /** Id of its finding, if its job was removed; a job that exists names it. Default: derived from the job's id. */
  findingId?: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

interface Waiter {
  jobId: string;
  findingId: string;
  settle(end: JobEnd | null | Error): void;
}

/** Each job is read this often, too: a burst of events or an outage can lose the event of an end. */
const SWEEP_MS = 2_000;
const CHUNK = 500;
/** A wait of 0 ms returns a job that has ended. Reading it may take this long. */
const FIRST_LOOK_MS = 1_000;
/** Longest delay of a timer in Node. */
const LONGEST_MS = 2 ** 31 - 1;

/** @param parts.url for a second connection, which reads the events; it opens once a job has to be waited for */
export function createJobEnds(parts: { db: Db; queue: string; url: string }): JobEnds {
  const { db, queue, url } = parts;
  const { keys } = db;
  const waiting = new Set<Waiter>();
  const byJob = new Map<string, Waiter[]>();
  const closing = new AbortController();
  let listening: Promise<void> | null = null;
  let sweeping: NodeJS.Timeout | null = null;

  /** Ignores errors while Redis is away: the next sweep reads the jobs again. */
  async function look(waiters: Waiter[]): Promise<void> {
    try {
      for (let from = 0; from < waiters.length; from += CHUNK) {
        for (const [waiter, end] of await readJobEnds(db, queue, waiters.slice(from, from + CHUNK))) {
          waiter.settle(end);
        }
      }
    } catch (thrown) {
      const error = toRedisError(thrown, url);
      if (error instanceof RedisUnusableError) return;
      for (const waiter of waiters) waiter.settle(error instanceof Error ? error : new FleetError(toMessage(error)));
    }
  }

  function listen(): void {
    sweeping ??= setInterval(() => void look([...waiting]), SWEEP_MS);
    listening ??= readEvents().catch(() => undefined); // the sweep alone is slower, but enough, and it reports errors
  }

  /** Reads BullMQ's events stream. Its own QueueEvents opens one more connection, and cannot be closed while Redis is away. */
  async function readEvents(): Promise<void> {
    const stream = keys.queueKey(queue, 'events');
    const { signal } = closing;
    const onOpen = (): void => void look([...waiting]); // what ended before the first event could be read
    for await (const { entries } of followStream(url, stream, { name: 'fleet-events', signal, onOpen })) {
      const ended = entries.filter(({ event }) => event === 'completed' || event === 'failed');
      await look([...new Set(ended.map(({ jobId }) => jobId ?? ''))].flatMap((jobId) => byJob.get(jobId) ?? []));
    }
  }

  function remove(waiter: Waiter): void {
    waiting.delete(waiter);
    const others = (byJob.get(waiter.jobId) ?? []).filter((other) => other !== waiter);
    if (others.length > 0) byJob.set(waiter.jobId, others);
    else byJob.delete(waiter.jobId);
    if (waiting.size > 0 || sweeping === null) return;
    clearInterval(sweeping);
    sweeping = null;
  }

  return {
    wait(jobId, { findingId = toFindingId(jobId), timeoutMs, signal }) {
      return new Promise((resolve, reject) => {
        closing.signal.throwIfAborted();
        if (signal?.aborted === true) return resolve(null);
        let looked = false;
        let timer = setTimeout(
          () => {
            if (looked) waiter.settle(null);
            else timer = setTimeout(() => waiter.settle(null), FIRST_LOOK_MS);
          },
          Math.min(timeoutMs, LONGEST_MS),
        );
        const stop = (): void => waiter.settle(null);
        const waiter: Waiter = {
          jobId,
          findingId,
          settle(end) {
            clearTimeout(timer);
            signal?.removeEventListener('abort', stop);
            remove(waiter);
            if (end instanceof Error) reject(end);
            else resolve(end);
          },
        };
        signal?.addEventListener('abort', stop, { once: true });
        waiting.add(waiter);
        byJob.set(jobId, [...(byJob.get(jobId) ?? []), waiter]);
        void look([waiter]).then(() => {
          looked = true;
          if (waiting.has(waiter)) listen();
        });
      });
    },
    async close() {
      const error = new FleetError('the connection to the fleet was closed while it was waited for');
      closing.abort(error);
      for (const waiter of waiting) waiter.settle(error);
      await listening;
    },
  };
}

/** How those that have ended did so. The jobs are read first: a job that has completed has its finding. */
async function readJobEnds(db: Db, queue: string, waiters: Waiter[]): Promise<Map<Waiter, JobEnd>> {
  const { redis, keys } = db;
  const ends = new Map<Waiter, JobEnd>();
  const views = await readEnds(
    db,
    queue,
    waiters.map(({ jobId }) => jobId),
  );
  const written: { waiter: Waiter; findingId: string }[] = [];
  for (const [i, waiter] of waiters.entries()) {
    const view = views[i];
    if (view === undefined || view.state === 'open') continue;
    if (view.state === 'failed') ends.set(waiter, { id: waiter.jobId, ...view });
    else {
      const findingId = view.state === 'completed' ? view.findingId : null;
      written.push({ waiter, findingId: findingId ?? waiter.findingId });
    }
  }
  if (written.length === 0) return ends;
  const ids = written.map(({ findingId }) => findingId);
  const stored = await redis.mget(ids.map((id) => keys.finding(id)));
  const texts = await withOriginals(db, ids, stored);
  for (const [i, { waiter, findingId }] of written.entries()) {
    const text = texts[i] ?? null;
    const finding = text === null ? null : parseFinding(findingId, text);
    const { jobId: id } = waiter;
    const own = finding !== null && (finding.job_id === undefined || finding.job_id === id); // a chosen id may be another task's
    ends.set(waiter, own ? { id, state: 'completed', finding } : { id, state: 'missing' });
  }
  return ends;
}
