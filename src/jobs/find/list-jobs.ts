import { idSchema } from '../../../queues/ids.ts';
import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
import type { Db } from '../../redis/db.ts';
import { toEndedSources } from './ended-source.ts';
import { toFits, toNeedles, toStates } from './filter.ts';
import { parseCursor, toCursor } from './cursor.ts';
import { toIdSource, toQueueSources } from './queue-source.ts';
import type { Place, PlacedJob, Source } from './source.ts';
import type { JobFilter, JobPage, ListedJob, PageLimits } from './types.ts';

/** Jobs of a page without `limit`. */
const PAGE_JOBS = 20;
const MOST_LOOKED = 250_000;

/**
 * Reads one page of the jobs of all queues and states, newest first by `at`. Each list and index is read in its own order, and the
 * newest head of all comes next. BullMQ keeps delayed jobs by the time at which they fall due: of these a page has the latest due ones,
 * and only inside a page the newest come first. A job that changes its state while the list is read can come twice in two pages, or in none.
 *
 * Redis looks through the jobs in steps of a few milliseconds, and a page without a filter needs the same steps whatever the number
 * of jobs.
 */
export async function readJobPage(db: Db, filter: JobFilter, limits: PageLimits = {}): Promise<JobPage> {
  const { limit = PAGE_JOBS, mostLooked = MOST_LOOKED, cursor, signal } = limits;
  const places = cursor === undefined ? null : parseCursor(cursor, filter);
  const fits = toFits(filter);
  const readers = toSources(db, filter)
    .filter((source) => places?.has(source.name) ?? true)
    .map((source) => new Reader(source, { place: places?.get(source.name) ?? null, fits }));
  const jobs: ListedJob[] = [];
  const ids = new Set<string>();
  let looked = 0;
  while (jobs.length < limit) {
    signal?.throwIfAborted();
    const empty = readers.filter((reader) => reader.needsMore);
    if (empty.length > 0 && looked < mostLooked) {
      const counts = await Promise.all(empty.map((reader) => reader.readOn(limit)));
      looked += counts.reduce((sum, count) => sum + count, 0);
      continue;
    }
    const next = takeNewest(readers);
    if (next === null) break;
    const id = `${next.queue}:${next.id}`;
    if (!ids.has(id)) jobs.push(next);
    ids.add(id);
  }
  const left = readers.filter((reader) => !reader.isOver);
  return {
    jobs: jobs.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)),
    looked,
    cursor: left.length === 0 ? null : toCursor(filter, new Map(left.map((reader) => [reader.name, reader.place]))),
    stoppedEarly: jobs.length < limit && left.length > 0,
  };
}

/** Jobs of one page of `eachJob`. */
const EACH = 200;

/** Yields all jobs that fit. @param limits.limit most jobs; default: all. @throws the reason of `signal` */
export async function* eachJob(
  db: Db,
  filter: JobFilter,
  { limit = Infinity, ...limits }: PageLimits = {},
): AsyncGenerator<ListedJob> {
  let { cursor } = limits;
  let left = limit;
  while (left > 0) {
    const part = { ...limits, limit: Math.min(EACH, left), ...(cursor === undefined ? {} : { cursor }) };
    const page: JobPage = await readJobPage(db, filter, part);
    left -= page.jobs.length;
    yield* page.jobs;
    if (page.cursor === null) return;
    cursor = page.cursor;
  }
}

function toSources(db: Db, filter: JobFilter): Source[] {
  const needles = toNeedles(filter);
  const states = toStates(filter);
  const queues = Object.keys(queueRegistry) as QueueName[];
  const isOfEnded = states.has('done') && filter.reason === undefined;
  const word = filter.words?.trim() ?? '';
  const id = idSchema.safeParse(word).success ? word : null;
  return [
    ...(id === null ? [] : queues.map((queue) => toIdSource(db, queue, id, needles))),
    ...queues.flatMap((queue) => toQueueSources(db, queue, { needles, states, except: id })),
    ...(isOfEnded ? toEndedSources(db, filter, needles) : []),
  ];
}

/** Takes the newest job that a reader holds. @returns null: none holds one */
function takeNewest(readers: readonly Reader[]): ListedJob | null {
  let newest: Reader | null = readers.find((reader) => reader.isFirst && reader.head !== null) ?? null;
  for (const reader of newest === null ? readers : []) {
    if (reader.head !== null && (newest?.head ?? null) === null) newest = reader;
    else if (reader.head !== null && reader.head.at > (newest?.head?.at ?? '')) newest = reader;
  }
  return newest?.take() ?? null;
}

/** Reads one source, part by part. */
class Reader {
  readonly name: string;
  readonly #source: Source;
  readonly #fits: (found: PlacedJob) => boolean;
  #held: PlacedJob[] = [];
  /** After what was read. */
  #read: Place | null;
  /** After what was taken. */
  #taken: Place | null;
  #isRead = false;

  constructor(source: Source, { place, fits }: { place: Place | null; fits: (found: PlacedJob) => boolean }) {
    this.name = source.name;
    this.#source = source;
    this.#fits = fits;
    this.#read = this.#taken = place;
  }

  get isFirst(): boolean {
    return this.#source.isFirst === true;
  }

  get head(): ListedJob | null {
    return this.#held[0]?.job ?? null;
  }

  get needsMore(): boolean {
    return this.#held.length === 0 && !this.#isRead;
  }

  get isOver(): boolean {
    return this.#held.length === 0 && this.#isRead;
  }

  /** Where the next page begins. Null: nothing was read. */
  get place(): Place | null {
    return this.#held.length === 0 ? this.#read : this.#taken;
  }

  /** Reads the next part. @returns how many entries were looked at */
  async readOn(want: number): Promise<number> {
    const { looked, isOver, after, found } = await this.#source.read(this.#read, want);
    this.#held = found.filter(this.#fits);
    this.#read = after ?? this.#read;
    this.#isRead = isOver;
    return looked;
  }

  take(): ListedJob | null {
    const [next] = this.#held.splice(0, 1);
    if (next !== undefined) this.#taken = next.after;
    return next?.job ?? null;
  }
}
