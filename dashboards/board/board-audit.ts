import type { AfterHook, BullBoardRequest, HookContext } from '@bull-board/api/typings/app';
import type { Job, Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import { toFieldChanges } from '../../src/audit/field-changes.ts';
import { noteChange, toNamed } from '../../src/audit/note-change.ts';
import type { Change } from '../../src/audit/types.ts';
import type { Db } from '../../src/redis/db.ts';
import { findJob, findQueue } from './find-job.ts';

/** Everything that Bull Board may change here; `board-rules.ts` has the rule of each. */
export type BoardRoute =
  | 'put /api/queues/pause'
  | 'put /api/queues/resume'
  | 'put /api/queues/:queueName/pause'
  | 'put /api/queues/:queueName/resume'
  | 'put /api/queues/:queueName/promote'
  | 'put /api/queues/:queueName/:jobId/promote'
  | 'patch /api/queues/:queueName/:jobId/delay'
  | 'patch /api/queues/:queueName/:jobId/priority'
  | 'patch /api/queues/:queueName/:jobId/update-data'
  | 'post /api/queues/:queueName/add';

type Queues = Record<QueueName, Queue>;
/** What the request will have changed, once Bull Board has done it. Null: nothing. It is read before: then the old values are there. */
type Look = (queues: Queues, request: BullBoardRequest) => Promise<Change | null>;

const LOOKS: Record<BoardRoute, Look> = {
  'put /api/queues/pause': (queues) => lookAtPause(Object.values(queues), true),
  'put /api/queues/resume': (queues) => lookAtPause(Object.values(queues), false),
  'put /api/queues/:queueName/pause': (queues, { params }) => lookAtPause(findQueue(queues, params), true),
  'put /api/queues/:queueName/resume': (queues, { params }) => lookAtPause(findQueue(queues, params), false),
  'put /api/queues/:queueName/promote': (queues, { params }) => lookAtDelayed(findQueue(queues, params)),
  'put /api/queues/:queueName/:jobId/promote': ofJob((about) => {
    return { what: 'promote', about, before: { state: 'delayed' }, after: { state: 'waiting' } };
  }),
  'patch /api/queues/:queueName/:jobId/delay': ofJob((about, job, { body }) => {
    return {
      what: 'delay',
      about,
      before: { due: toInstant(job.timestamp + job.delay) },
      after: { due: toInstant(Number(body['runAt'])) },
    };
  }),
  'patch /api/queues/:queueName/:jobId/priority': ofJob((about, { priority }, { body }) => {
    const after = Number(body['priority']);
    return after === priority ? null : { what: 'priority', about, before: { priority }, after: { priority: after } };
  }),
  'patch /api/queues/:queueName/:jobId/update-data': ofJob((about, { data }, { body }) => {
    const changes = toFieldChanges(data, body['jobData']);
    return Object.keys(changes.after).length === 0 ? null : { what: 'edit', about, ...changes };
  }),
  'post /api/queues/:queueName/add': async () => null, // to add work is no change
};

export interface BoardAudit {
  /** Call it before an allowed request. */
  look(context: HookContext): Promise<void>;
  /** Notes what was changed. What Bull Board refused, or could not do, is not noted. */
  after: AfterHook;
}

/** @param db whose actor is who the audit says has done it */
export function createBoardAudit(db: Db, queues: Queues): BoardAudit {
  const seen = new WeakMap<HookContext, Change>();
  return {
    async look(context) {
      const { method, route, request } = context;
      const look = (LOOKS as Partial<Record<string, Look>>)[`${method} ${route}`];
      const change = (await look?.(queues, request)) ?? null;
      if (change !== null) seen.set(context, change);
    },
    async after(context, result) {
      const change = seen.get(context);
      if (change !== undefined && (result.status ?? 200) < 300) await noteChange(db, change);
      return result;
    },
  };
}

async function lookAtPause(queues: readonly Queue[], paused: boolean): Promise<Change | null> {
  const now = await Promise.all(queues.map((queue) => queue.isPaused()));
  const changed = queues.filter((_, i) => now[i] !== paused).map(({ name }) => name);
  if (changed.length === 0) return null;
  const about = { queue: changed.join(', ') };
  return { what: paused ? 'queue-pause' : 'queue-resume', about, before: { paused: !paused }, after: { paused } };
}

async function lookAtDelayed(queues: readonly Queue[]): Promise<Change | null> {
  const [queue] = queues;
  const jobs = (await queue?.getDelayedCount()) ?? 0;
  if (queue === undefined || jobs === 0) return null;
  return {
    what: 'promote',
    about: { queue: queue.name },
    before: { state: 'delayed', jobs },
    after: { state: 'waiting' },
  };
}

function ofJob(
  toChange: (about: Change['about'] & object, job: Job, request: BullBoardRequest) => Change | null,
): Look {
  return async (queues, request) => {
    const job = await findJob(queues, request.params);
    return job === null ? null : toChange(toNamed([job.id ?? '']), job, request);
  };
}

function toInstant(ms: number): string | null {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : null;
}
