import { FleetError, RedisUnusableError, toMessage } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import { parseFinding } from '../../findings/stored.ts';
import { withOriginals } from '../../findings/condensed.ts';
import { toRedisError } from '../../redis/connect.ts';
import type { Db } from '../../redis/db.ts';
import { followStream } from '../../redis/streams.ts';
import type { JobEnd } from './types.ts';

/** Tells when jobs of one queue have ended, to any number of waiters over one connection. */
export interface JobEnds {
  /** @returns how the job ended, or null when the time is over or `signal` fires */
  wait(jobId: string, options: WatchOptions): Promise<JobEnd | null>;
  /** Whoever still waits gets a FleetError. */
  close(): Promise<void>;
}

interface WatchOptions {
  /** Where its finding stands should its job be cleared away; a job that is there says so itself. Default: derived. */
  findingId?: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

interface Waiter {
  jobId: string;
  findingId: string;
  settle(end: JobEnd | null | Error): void;
}

/**
 * Events say at once that a job may have ended, but a burst or an outage can swallow them: every waiter's job is looked
 * at this often as well.
 */
const SWEEP_MS = 2_000;
const CHUNK = 500;
/** Whoever waits no time at all is still told of what has ended; a Redis that hangs is given this long for it. */
const FIRST_LOOK_MS = 1_000;
/** The longest a timer of Node can wait. */
const LONGEST_MS = 2 ** 31 - 1;

/** @param parts.redis answers the looks; a second connection, for the events, is opened once somebody has to wait */
export function createJobEnds(parts: { db: Db; queue: string; url: string }): JobEnds {
  const { db, queue, url } = parts;
  const { keys } = db;
  const waiting = new Set<Waiter>();
  const byJob = new Map<string, Waiter[]>();
  const closing = new AbortController();
  let listening: Promise<void> | null = null;
  let sweeping: NodeJS.Timeout | null = null;

  /** While Redis is away there is nothing to see and nothing lost: the next sweep looks again. */
  async function look(waiters: Waiter[]): Promise<void> {
    try {
      for (let from = 0; from < waiters.length; from += CHUNK) {
        for (const [waiter, end] of await readEnds(db, queue, waiters.slice(from, from + CHUNK))) {
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
    listening ??= hearEvents().catch(() => undefined); // the sweep alone is slower, but enough; what it meets it reports
  }

  /**
   * Reads BullMQ's events stream. Its own QueueEvents does so too, but opens a connection more and cannot be closed while
   * Redis is away.
   */
  async function hearEvents(): Promise<void> {
    const stream = keys.queueKey(queue, 'events');
    const { signal } = closing;
    const onOpen = (): void => void look([...waiting]); // what ended before the first event could be heard
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

/** Of those that have ended, how. First the jobs, then the findings: where a job has ended, its finding is there. */
async function readEnds(db: Db, queue: string, waiters: Waiter[]): Promise<Map<Waiter, JobEnd>> {
  const { redis, keys } = db;
  const ends = new Map<Waiter, JobEnd>();
  const chain = redis.pipeline();
  for (const { jobId } of waiters) {
    chain.hmget(keys.queueKey(queue, jobId), 'timestamp', 'finishedOn', 'returnvalue', 'failedReason');
  }
  const written: { waiter: Waiter; findingId: string }[] = [];
  for (const [at, [error, reply]] of ((await chain.exec()) ?? []).entries()) {
    if (error) throw error;
    const waiter = waiters[at];
    const [timestamp, finishedOn, returnValue, failedReason] = reply as (string | null)[];
    if (waiter === undefined || (timestamp !== null && finishedOn === null)) continue;
    if (timestamp !== null && returnValue === null) {
      ends.set(waiter, { id: waiter.jobId, state: 'failed', reason: failedReason ?? 'unknown' });
    } else written.push({ waiter, findingId: toWrittenId(returnValue) ?? waiter.findingId });
  }
  if (written.length === 0) return ends;
  const ids = written.map(({ findingId }) => findingId);
  const stored = await redis.mget(ids.map((id) => keys.finding(id)));
  const texts = await withOriginals(db, ids, stored);
  for (const [at, { waiter, findingId }] of written.entries()) {
    const text = texts[at] ?? null;
    const finding = text === null ? null : parseFinding(findingId, text);
    const { jobId: id } = waiter;
    const own = finding !== null && (finding.job_id === undefined || finding.job_id === id); // a chosen id may be another task's
    ends.set(waiter, own ? { id, state: 'completed', finding } : { id, state: 'missing' });
  }
  return ends;
}

/** The finding id in a job's return value. */
function toWrittenId(returnValue: string | null | undefined): string | null {
  if (typeof returnValue !== 'string') return null;
  const value: unknown = JSON.parse(returnValue);
  return typeof value === 'object' && value !== null && 'findingId' in value && typeof value.findingId === 'string'
    ? value.findingId
    : null;
}
