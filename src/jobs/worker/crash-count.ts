import type { Job, Queue } from 'bullmq';
import type { Db } from '../../redis/db.ts';
import { showsGuilt, toDeathRate } from './blame.ts';
import { readDeaths } from './process-watch.ts';
import { parsePlace, toOldStepEndMs } from './run-place.ts';
import { countEvent } from '../../swarm/count-event.ts';

/** A job that was at the same place when its workers died so often runs alone: it may be what kills them. */
export const ALONE_AFTER = 2;
/** A job is blamed after so many deaths in any case: nothing else ends one that kills its workers at ever other places. */
const MOST = 40;
/** The record of a job that never runs again goes after this time. */
const KEEP_SECONDS = 86_400;

/** What is known of the deaths of a job's workers since the job last stored progress. */
export interface CrashCount {
  /** The place at which most of them died, as `NotedPlace` named it. Null: no death at a known place. */
  place: string | null;
  /** Deaths there. */
  atPlace: number;
  /** Deaths anywhere. The first one of a job has no known place: only then is noted where a run is. */
  deaths: number;
  /** Whether the job is to blame: chance hardly explains the deaths. */
  isGuilty: boolean;
}

/**
 * Counts the deaths of the job's workers since the last call, at the place where its last run was noted. Jobs that only shared the process died at places
 * where they wait, at other ones each time, or stored progress between two deaths, so that their count starts again; a job that
 * kills its worker dies at the same place each time, and soon after it came there.
 */
export async function countCrash(
  db: Db,
  job: Job,
  readProgress: ProgressReader = readStoredTurns,
): Promise<CrashCount> {
  const { redis, keys } = db;
  const jobId = job.id ?? '';
  const key = keys.crashes(jobId);
  const progress = await readProgress(db, jobId);
  const known = await redis.hgetall(key);
  const stalls = job.stalledCounter;
  const added = stalls - Number(known['stalls'] ?? stalls - 1); // 0: the last run gave the job back
  const isSame = known['progress'] === progress;
  const places = toPlaces(isSame ? known : {});
  const died = parsePlace(known['now'] ?? '');
  if (died !== null && isSame && added > 0) places.set(died.name, [...(places.get(died.name) ?? []), died.withinMs]);
  const deaths = (isSame ? Number(known['deaths'] ?? 0) : 0) + added;
  const fields = [...places].map(([name, withinMs]) => [`at:${name}`, withinMs.join(',')] as const);
  await redis
    .multi()
    .del(key)
    .hset(key, { progress, stalls, deaths, ...Object.fromEntries(fields) })
    .expire(key, KEEP_SECONDS)
    .exec();
  const [worst] = [...places].toSorted(([, a], [, b]) => b.length - a.length);
  if (worst === undefined) return { place: null, atPlace: 0, deaths, isGuilty: deaths >= MOST };
  const [place, withinMs] = worst;
  const own = withinMs.length + 1; // the first death had no known place
  const isGuilty = deaths >= MOST || showsGuilt(withinMs, toDeathRate(await readDeaths(db, job.queueName), own));
  return { place, atPlace: withinMs.length, deaths, isGuilty };
}

/** Forgets the deaths: the job has ended, and a retry by a person starts at none. */
export async function forgetCrashes({ redis, keys }: Db, jobId: string): Promise<void> {
  await redis.del(keys.crashes(jobId));
}

/** For each place, how long at most the job was there at each death. */
function toPlaces(record: Record<string, string>): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [field, text] of Object.entries(record)) {
    if (field.startsWith('at:')) places.set(field.slice(3), parseDeathTimes(text));
  }
  return places;
}

function parseDeathTimes(text: string): number[] {
  const [, count, step] = /^(\d+)\|(\d+)$/.exec(text) ?? [];
  if (step !== undefined) return Array<number>(Math.min(Number(count), MOST)).fill(toOldStepEndMs(Number(step)));
  return text.split(',').flatMap((part) => (/^\d+$/.test(part) ? [Number(part)] : []));
}

/** A job's progress as a short text that changes whenever the job has stored something. */
export type ProgressReader = (db: Db, jobId: string) => Promise<string>;

/** How many replies and tool results a job has stored. */
export const readStoredTurns: ProgressReader = async ({ redis, keys }, jobId) => {
  const fields = await redis.hkeys(keys.turns(jobId));
  return String(fields.filter((field) => /^[rt]:/.test(field)).length);
};

/** Writes a line into the job's log, and a counter, when a job of a dead or frozen worker goes back to waiting. */
export async function noteRecovery(db: Db, queue: Queue, jobId: string, by: string): Promise<void> {
  await countEvent(db, 'recoveries');
  const job = await queue.getJob(jobId);
  await job?.log(
    `${db.clock.date().toISOString()} recovered: its worker died or froze; what it had stored is used again (${by})`,
  );
}
