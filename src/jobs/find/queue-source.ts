import type { QueueName } from '../../../queues/registry.ts';
import { parseFinding, readFindingTexts } from '../../findings/stored.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { decodePart } from '../../ledger/report/report.ts';
import { toUsd } from '../../pricing/money.ts';
import type { Db } from '../../redis/db.ts';
import { parseRecord } from '../../redis/stored-record.ts';
import { toOneLine } from '../../text/one-line.ts';
import { describeParked, parseMark } from '../outcomes/parked.ts';
import { readJob } from '../state/states.ts';
import type { JobState } from '../state/types.ts';
import type { JobNeedles } from './filter.ts';
import { PART, splitAnswer, type PlacedJob, type Source } from './source.ts';
import type { ListedJob, ListedState } from './types.ts';

/** BullMQ's lists and sorted sets of jobs, and the states of the jobs in them. */
const SETS: Record<string, readonly ListedState[]> = {
  active: ['running', 'parked'],
  wait: ['waiting', 'parked'],
  prioritized: ['waiting', 'parked'],
  delayed: ['delayed', 'parked'],
  'waiting-children': ['waiting', 'running', 'parked'],
  failed: ['failed', 'cancelled'],
  completed: ['done'],
};
const KINDS = { tasks: 'task', archive: 'question', missions: 'mission' } as const;
/** A mission that waits for a person may be in any of them; a task that is parked is delayed. */
const ONLY_MISSIONS_PARK_IN = new Set(['active', 'wait', 'prioritized', 'waiting-children']);
/** Values of a row of `find-jobs`. */
const WIDTH = 16;
/** A job that waits for a person is delayed for years: nothing brings it back before. */
const FAR_MS = 5 * 365 * 24 * 3600_000;
/** Longest `why`, UTF-16 code units. */
const WHY = 300;

/** The sources of one queue in which there may be jobs of these states. @param options.except id of a job that another source has */
export function toQueueSources(
  db: Db,
  queue: QueueName,
  { needles, states, except }: { needles: JobNeedles; states: ReadonlySet<ListedState>; except: string | null },
): Source[] {
  return Object.entries(SETS)
    .filter(([set, held]) => held.some((state) => states.has(state) && canBe(state, queue, set)))
    .map(([set]) => createSource(db, queue, set, needles))
    .map((source) => (except === null ? source : without(source, except)));
}

function without(source: Source, id: string): Source {
  return {
    ...source,
    async read(from, want) {
      const part = await source.read(from, want);
      return { ...part, found: part.found.filter(({ job }) => job.id !== id) };
    },
  };
}

/** BullMQ's set of the jobs of a state. */
const SET_OF: Partial<Record<JobState, string>> = { waiting: 'wait' };

/**
 * The one job of a queue that has this id, wherever it is: among a million others it would be looked at last. A job that names a mission
 * or another job holds its id, too, so that the other sources are read as well.
 */
export function toIdSource(db: Db, queue: QueueName, id: string, needles: JobNeedles): Source {
  return {
    name: `${queue}#`,
    isFirst: true,
    async read(from, want) {
      const { state } = await readJob(db, queue, id);
      if (from !== null || state === 'unknown') return { looked: 0, isOver: true, after: null, found: [] };
      return createSource(db, queue, SET_OF[state] ?? state, { ...needles, only: id }).read(null, want);
    },
  };
}

function canBe(state: ListedState, queue: QueueName, set: string): boolean {
  return state !== 'parked' || queue === 'missions' || !ONLY_MISSIONS_PARK_IN.has(set);
}

function createSource(db: Db, queue: QueueName, set: string, needles: JobNeedles & { only?: string }): Source {
  const { keys, scripts, clock } = db;
  const asked = {
    ...needles,
    queue,
    set,
    count: PART,
    job: keys.queueKey(queue, ''),
    turns: keys.turns(''),
    mission: keys.mission(''),
    spend: keys.spend(''),
    finding: keys.finding(''),
    waits_for: keys.waitsFor(''),
    parked: keys.parked,
    offered: keys.offered,
    waits: keys.waits,
  };
  return {
    name: `${queue}:${set}`,
    async read(from, want) {
      const place = from === null ? {} : { from: { ...from, index: String(from.index) } };
      const answer = await scripts['find-jobs']({ set: keys.queueKey(queue, set) }, [
        JSON.stringify({ ...asked, ...place, want }),
      ]);
      const { part, rows } = splitAnswer(answer, WIDTH);
      const findings = set === 'completed' ? await readFindings(db, rows.map(toFindingId)) : [];
      const now = clock.now();
      return { ...part, found: rows.map((row, i) => toFound(row, queue, { finding: findings[i] ?? null, now })) };
    },
  };
}

/** What the return value of a completed job names. */
function toFindingId(row: readonly string[]): string | null {
  const value: unknown = Reflect.get(parseRecord(row[11]) ?? {}, 'findingId');
  return typeof value === 'string' ? value : null;
}

async function readFindings(db: Db, ids: readonly (string | null)[]): Promise<(StoredFinding | null)[]> {
  const texts = await readFindingTexts(
    db,
    ids.map((id) => id ?? ''),
  );
  return ids.map((id, i) => {
    const text = texts[i] ?? null;
    return id === null || text === null ? null : parseFinding(id, text);
  });
}

/** @param row of `find-jobs` */
function toFound(
  row: readonly string[],
  queue: QueueName,
  { finding, now }: { finding: StoredFinding | null; now: number },
): PlacedJob {
  const [id = '', score = '', index = '', state = '', reason = '', more = '', at = '', added = ''] = row;
  const [data = '', , worker = '', cost = '', due = '', called = ''] = row.slice(10);
  const fields: Record<string, unknown> = { ...parseRecord(data) };
  const costNanoUsd = cost === '' ? null : Number(cost);
  const job: ListedJob = {
    id,
    kind: KINDS[queue],
    queue,
    state: state as ListedState,
    reason: reason === '' ? null : reason,
    why: toWhy({ id, state, reason, more }),
    at: toInstant(at) ?? new Date(0).toISOString(),
    addedAt: toInstant(added),
    dueAt: Number(due) - now > FAR_MS ? null : toInstant(due),
    model: finding?.model ?? toText(decodePart(called)) ?? toText(fields['model']),
    costUsd: toUsd(costNanoUsd),
    costNanoUsd,
    batch: toText(fields['batch']),
    mission: queue === 'missions' ? id : toText(fields['mission_id']),
    session: toText(fields['session']),
    client: toText(fields['client']),
    worker: finding?.worker_id ?? (worker === '' ? null : worker),
    finding: toFindingId(row),
    text: toOneLine(toText(fields['description'] ?? fields['question'] ?? fields['goal']) ?? '', 200),
  };
  return { job, texts: Object.values(fields), after: { id, index: Number(index), score } };
}

/** For people. `more`: the mark of a parked job, the last line of a delayed one's log, a failure's text, a mission's problem. */
function toWhy({
  id,
  state,
  reason,
  more,
}: {
  id: string;
  state: string;
  reason: string;
  more: string;
}): string | null {
  if (state === 'parked') return toOneLine(toParkedWhy(id, reason, more), WHY);
  if (reason === 'children') return state === 'running' ? 'waits for its tasks' : 'waits for its children';
  if (state === 'delayed') {
    const line = /^\S+Z (?:waits \d+ s(?: at most)?: )?(.*?)(?: \([^()]*\))?$/s.exec(more)?.[1] ?? more;
    return line === '' ? (reason === 'outside' ? 'waits for an outside worker' : null) : toOneLine(line, WHY);
  }
  const text = more.startsWith(`${reason}:`) ? more.slice(reason.length + 1) : more;
  return text.trim() === '' ? null : toOneLine(text, WHY);
}

function toParkedWhy(id: string, reason: string, more: string): string {
  if (reason === 'budget') return `for its ${describeParked(parseMark(more))}`;
  if (reason === 'planned') return `its plan waits: fleet mission run ${id}, or fleet park ${id}`;
  if (reason === 'asks') return `it asks: ${more}`;
  return `a person set it aside: fleet resume ${id}`;
}

function toText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** @param ms text of an instant; empty: there is none */
function toInstant(ms: string): string | null {
  const date = new Date(Number(ms));
  return ms === '' || Number.isNaN(date.getTime()) ? null : date.toISOString();
}
