import { queueRegistry } from '../../queues/registry.ts';
import { withOriginals } from '../findings/condensed.ts';
import { parseFinding, readFindingTexts, toSummary } from '../findings/stored.ts';
import type { StoredFinding } from '../findings/types.ts';
import { undefinedOnAbort } from '../process/abort.ts';
import type { Logger } from '../process/logger.ts';
import { connectRedis } from '../redis/connect.ts';
import type { Db } from '../redis/db.ts';
import { readMergedStreams, type MergedEntry } from '../redis/merged-streams.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { readStreamEnd } from '../redis/streams.ts';
import { ACTIVITIES } from './activity.ts';
import type { ActivityEvent, ActivityQuery } from './types.ts';

/** Everything that `fleet monitor` may show. The words after the activities are of the stream of findings. */
export const HAPPENINGS = [...ACTIVITIES, 'finding', 'retracted', 'condensed', 'restored'] as const;

/** They concern every batch and every mission. */
const OF_ALL = new Set(['halt', 'resume']);
/** Jobs whose failure is remembered: BullMQ tells of it in a stream of its own, too. */
const MOST_REMEMBERED = 10_000;

/** One event, with the finding that it tells of. */
export type Happening = ActivityEvent & { finding: StoredFinding | null };

/**
 * Yields what happens in the swarm, in order, until `signal` fires or the caller leaves the loop: findings, what processes and
 * scripts noted (`noteActivity`), and failures of which only BullMQ knows. An outage of Redis delays the events. It has a connection
 * of its own, which its first step opens.
 */
export async function* followActivity(
  parts: { db: Db; url: string; log?: Pick<Logger, 'info' | 'warn'> },
  query: ActivityQuery,
  signal: AbortSignal,
): AsyncGenerator<Happening> {
  const { keys } = parts.db;
  const { since, follow = true } = query;
  const queues = new Map(Object.keys(queueRegistry).map((name) => [keys.queueKey(name, 'events'), name]));
  const streams = [keys.events, keys.activity, keys.begun, ...queues.keys()];
  const connection = await connectRedis(parts.url, {
    role: 'worker',
    name: 'fleet-monitor',
    signal,
    ...(parts.log === undefined ? {} : { log: parts.log }),
  }).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (connection === null) return;
  const db: Db = { ...parts.db, redis: connection }; // waits through outages
  const failed = createFailureMemory();
  try {
    const starts =
      since === undefined
        ? Promise.all(streams.map((stream) => readStreamEnd(connection, stream)))
        : Promise.resolve(streams.map(() => `${Math.max(0, since - 1)}-0`));
    const from = await undefinedOnAbort(starts, signal);
    if (from === undefined) return;
    for await (const page of readMergedStreams(connection, streams, { from, follow, signal })) {
      const events = page.flatMap((read) => toEvents(read, { db, queues, failed }));
      const timely = events.filter(({ at }) => since === undefined || Date.parse(at) >= since);
      const wanted = timely.filter((event) => isOfKind(event, query));
      const whole = await undefinedOnAbort(addFacts(db, wanted), signal);
      if (whole === undefined) return;
      for (const event of whole) if (isWanted(event, query)) yield event;
    }
  } finally {
    connection.disconnect();
  }
}

/** An event of which the facts are not read yet. */
type Bare = ActivityEvent & {
  /** Id of the finding that it tells of. */
  findingId?: string;
  /** Key of the job that it tells of, if only that knows its batch. */
  jobKey?: string;
};

interface ReadParts {
  db: Db;
  /** Name of the queue of each stream of BullMQ. */
  queues: Map<string, string>;
  failed: ReturnType<typeof createFailureMemory>;
}

/** One step begins several jobs, and notes their ids in one entry. */
function toEvents(read: MergedEntry, parts: ReadParts): Bare[] {
  const event = toEvent(read, parts);
  if (event?.what !== 'begun') return event === null ? [] : [event];
  return event.id.split(' ').map((id) => ({ ...event, id }));
}

function toEvent({ stream, at: ms, entry }: MergedEntry, { db, queues, failed }: ReadParts): Bare | null {
  const at = new Date(ms).toISOString();
  const none = { at, text: '', batch: null, mission: null, worker: null };
  const queue = queues.get(stream);
  if (queue !== undefined) {
    const { event, jobId = '', failedReason = '' } = entry;
    if (event !== 'failed' || failed.isKnown(jobId)) return null;
    return {
      ...none,
      what: 'failed',
      id: jobId,
      text: db.redact(failedReason),
      jobKey: db.keys.queueKey(queue, jobId),
    };
  }
  if (stream === db.keys.events) {
    const { finding, changed, why = 'changed' } = entry;
    if (finding !== undefined) return { ...none, what: 'finding', id: finding, findingId: finding };
    return changed === undefined ? null : { ...none, what: why, id: changed, findingId: changed };
  }
  const { what = '', id = '', text = '', batch = '', mission = '', worker = '' } = entry;
  if (what === 'failed') failed.note(id);
  const noted = { at, what, id, text, batch: batch || null, mission: mission || null, worker: worker || null };
  return what === 'answered' ? { ...noted, findingId: id } : noted;
}

/** The failures that the fleet noted itself: each is told of a second time, by BullMQ, once its job has moved. */
function createFailureMemory() {
  const counts = new Map<string, number>();
  return {
    note(id: string): void {
      const count = counts.get(id) ?? 0;
      counts.delete(id); // to the end: the first is forgotten first
      counts.set(id, count + 1);
      const [oldest] = counts.keys();
      if (counts.size > MOST_REMEMBERED && oldest !== undefined) counts.delete(oldest);
    },
    /** Whether a failure of this job was noted, which this one repeats. */
    isKnown(id: string): boolean {
      const count = counts.get(id) ?? 0;
      if (count <= 1) counts.delete(id);
      else counts.set(id, count - 1);
      return count > 0;
    },
  };
}

async function addFacts(db: Db, events: readonly Bare[]): Promise<Happening[]> {
  const ids = [...new Set(events.flatMap(({ findingId }) => findingId ?? []))];
  const texts = await withOriginals(db, ids, await readFindingTexts(db, ids));
  const findings = new Map(ids.map((id, i) => [id, texts[i] === null ? null : parseFinding(id, texts[i] ?? '')]));
  return Promise.all(
    events.map(async ({ findingId, jobKey, ...event }) => {
      if (jobKey !== undefined) return { ...event, ...(await readOwners(db, jobKey)), finding: null };
      const finding = findingId === undefined ? null : (findings.get(findingId) ?? null);
      if (finding === null) return { ...event, finding };
      const { batch, mission_id: mission, worker_id: worker } = finding;
      return {
        ...event,
        text: event.text || toSummary(finding),
        batch: event.batch ?? batch ?? null,
        mission: event.mission ?? mission ?? null,
        worker: event.worker ?? worker ?? null,
        finding,
      };
    }),
  );
}

/** Batch and mission of a job, from its data: any program may have added it. */
async function readOwners({ redis }: Db, jobKey: string): Promise<{ batch: string | null; mission: string | null }> {
  const data = parseRecord(await redis.hget(jobKey, 'data').catch(() => null));
  const name = (field: string): string | null => {
    const value: unknown = Reflect.get(data ?? {}, field);
    return typeof value === 'string' ? value : null;
  };
  return { batch: name('batch'), mission: name('mission_id') };
}

function isOfKind({ what }: ActivityEvent, { what: wanted }: ActivityQuery): boolean {
  return wanted === undefined || wanted.length === 0 || wanted.includes(what);
}

function isWanted(event: ActivityEvent, { batch, mission, worker }: ActivityQuery): boolean {
  if (worker !== undefined && event.worker !== worker) return false;
  if (OF_ALL.has(event.what)) return true;
  if (batch !== undefined && event.batch !== batch) return false;
  return mission === undefined || event.mission === mission;
}
