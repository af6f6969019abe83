import { z } from 'zod';
import type { Logger } from '../../process/logger.ts';
import { hasEnded, readOwnMark, type ProcessMark } from '../../process/program/process-mark.ts';
import { repeat } from '../../process/repeat.ts';
import type { Db } from '../../redis/db.ts';
import { parseRecord } from '../../redis/stored-record.ts';
import { noteActivity } from '../../swarm/activity.ts';
import { LOCK_MS } from './locks.ts';

const LOOK_EVERY_MS = 250;
/** Where no process died in the last minute, only every fourth look is taken: a look opens a file for each process. */
const SELDOM_MS = 1_000;
const MINUTE_MS = 60_000;
/** Each time costs a script; what it answers serves the looks in between, which ask the system alone. */
const NOTE_EVERY_MS = 3_000;
/** A process that was not noted for so long has lost its jobs to expired locks: it died, or hangs. */
const LOST_AFTER_MS = LOCK_MS + 5_000;
/** A process that could not note itself for so long knows nothing of the silence of others. */
const SILENT_ITSELF_MS = 2 * NOTE_EVERY_MS;

const markSchema = z.object({ machine: z.string(), pid: z.int().positive(), began: z.string() });

/** A worker process of a queue, as it is noted. */
interface NotedProcess {
  id: string;
  /** Null: it cannot be found out from outside whether it runs. */
  mark: ProcessMark | null;
  /** Id of the worker; empty: a process of an older version. */
  workerId: string;
  notedMsAgo: number;
}

/**
 * Notes that this process lives, and looks which processes of its queue died: those on the same machine within a second, so that
 * their jobs continue at once, others when their locks have expired. The deaths are kept for `readDeaths`.
 * @param options.id BullMQ's id of the worker, with which the tokens of its locks begin
 * @param options.onFreed called when jobs of a dead process have no lock any more
 * @returns stops the watch, and removes the note
 */
export function watchProcesses(options: {
  db: Db;
  queue: string;
  id: string;
  workerId: string;
  onFreed: () => Promise<void>;
  log: Logger;
}): () => Promise<void> {
  const { db, queue, id, workerId, onFreed, log } = options;
  const { keys, scripts, redis } = db;
  const own = readOwnMark();
  const processes = keys.processes(queue);

  let others: NotedProcess[] = [];
  let notedAt = Number.NEGATIVE_INFINITY;
  let trustsSilenceFrom = Number.NEGATIVE_INFINITY;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let diedAt = Number.NEGATIVE_INFINITY;

  async function noteOwn(): Promise<void> {
    const noted = toProcesses(
      await scripts['note-process']({ processes }, [id, JSON.stringify({ ...own, worker: workerId })]),
    );
    const now = performance.now();
    // What kept this process from its notes, such as a Redis that was away, may have kept the others from theirs.
    if (notedAt > 0 && now - notedAt > SILENT_ITSELF_MS) trustsSilenceFrom = now + LOST_AFTER_MS;
    notedAt = now;
    others = noted.filter((one) => one.id !== id);
    for (const other of others) {
      if (other.notedMsAgo > LOST_AFTER_MS && now >= trustsSilenceFrom) await noteDeath(other, false);
    }
  }

  async function look(): Promise<void> {
    const now = performance.now();
    const everyMs = now - diedAt < MINUTE_MS ? LOOK_EVERY_MS : SELDOM_MS;
    if (now - lookedAt < everyMs - LOOK_EVERY_MS / 2) return; // its interval may fire a little early
    lookedAt = now;
    if (now - notedAt > NOTE_EVERY_MS - LOOK_EVERY_MS / 2) await noteOwn();
    const ended = others.filter(({ mark }) => own !== null && mark !== null && hasEnded(mark, own));
    for (const one of ended) {
      await noteDeath(one, true);
      others = others.filter((other) => other !== one);
    }
  }

  async function noteDeath({ id: dead, workerId: worker }: NotedProcess, ended: boolean): Promise<void> {
    diedAt = performance.now();
    const bull = {
      active: keys.queueKey(queue, 'active'),
      stalled: keys.queueKey(queue, 'stalled'),
      stalledCheck: keys.queueKey(queue, 'stalled-check'),
    };
    const jobs = await scripts['note-death']({ processes, deaths: keys.deaths(queue), ...bull }, [dead, ended ? 1 : 0]);
    if (jobs >= 0) {
      log.info({ process: dead, worker, jobs }, 'a worker process died');
      await noteActivity(db, { what: 'left', id: worker || dead, text: 'its process died', worker });
    }
    if (jobs > 0) await onFreed();
  }

  const stop = repeat({ everyMs: LOOK_EVERY_MS, firstAfterMs: 0, what: 'looking for dead processes', log }, look);
  return async () => {
    await stop();
    await redis.hdel(processes, id);
  };
}

/** How often worker processes of a queue die by whatever cause. */
export interface Deaths {
  /** Each death of the last ten minutes, in no order, and how many processes lived before it. */
  seen: { ageMs: number; among: number }[];
  /** How many processes live, this one included. */
  alive: number;
}

export async function readDeaths({ redis, keys, clock }: Db, queue: string): Promise<Deaths> {
  const [scored, noted] = await Promise.all([
    redis.zrange(keys.deaths(queue), '0', '-1', 'WITHSCORES'),
    redis.hlen(keys.processes(queue)),
  ]);
  const now = clock.now();
  const alive = Math.max(1, noted);
  const seen: Deaths['seen'] = [];
  for (let i = 0; i + 1 < scored.length; i += 2) {
    const among = Number(/\|(\d+)$/.exec(scored[i] ?? '')?.[1] ?? alive); // an older version noted the id alone
    seen.push({ ageMs: Math.max(0, now - Number(scored[i + 1])), among: Math.max(1, among) });
  }
  return { seen, alive };
}

function toProcesses(values: readonly (string | number)[]): NotedProcess[] {
  const found: NotedProcess[] = [];
  for (let i = 0; i + 2 < values.length; i += 3) {
    const [id, text, notedMsAgo] = values.slice(i, i + 3);
    const noted = parseRecord(String(text));
    const worker: unknown = Reflect.get(noted ?? {}, 'worker');
    found.push({
      id: String(id),
      mark: markSchema.safeParse(noted).data ?? null,
      workerId: typeof worker === 'string' ? worker : '',
      notedMsAgo: Number(notedMsAgo),
    });
  }
  return found;
}
