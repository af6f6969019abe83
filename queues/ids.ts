import { z } from 'zod';

/** Prefix of the ids of queries and of their answers. No other id has it. */
export const QUERY_PREFIX = 'archive_';

/** Rule for ids, which are also key suffixes: no `:` (BullMQ's separator), no white space, at most 200 characters. */
export const idSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9._-]+$/, 'letters, digits, dot, underscore and dash only');

/** BullMQ keeps a queue's own data beside its jobs, under these names: a job of such a name would be taken for it. */
const QUEUE_PARTS: ReadonlySet<string> = new Set([
  'active',
  'completed',
  'de',
  'delayed',
  'events',
  'failed',
  'id',
  'limiter',
  'marker',
  'meta',
  'paused',
  'pc',
  'prioritized',
  'repeat',
  'stalled',
  'stalled-check',
  'wait',
  'waiting-children',
]);

/** At most 100 characters: the id of a batch's task is this name and a line number. */
const BATCH_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Returns the rule that the id of a worker process breaks, for a message; null: none. It is a part of keys. */
export function findWorkerIdProblem(id: string): string | null {
  return /^[A-Za-z0-9._-]{1,100}$/.test(id)
    ? null
    : `expected letters, digits, dot, dash or underscore, at most 100, got ${JSON.stringify(id)}`;
}

/** Returns the rule that a query's id breaks, for a message; null: none. */
export function findQueryIdProblem(id: string): string | null {
  return idSchema.safeParse(id).success
    ? null
    : `expected letters, digits, dot, underscore or dash, got ${JSON.stringify(id)}`;
}

/** Returns the rule that the id of a task's or a mission's job breaks, for a message; null: none. */
export function findJobIdProblem(id: string): string | null {
  if (id.startsWith(QUERY_PREFIX)) {
    return `${JSON.stringify(id)}: ${QUERY_PREFIX}… is kept for questions to the archive`;
  }
  if (QUEUE_PARTS.has(id)) return `${JSON.stringify(id)}: the queue itself has a part of this name; choose another id`;
  if (idSchema.safeParse(id).success && !/^\d+$/.test(id)) return null; // BullMQ refuses an id of digits alone
  return `expected letters, digits, dot, underscore or dash, and not only digits, got ${JSON.stringify(id)}`;
}

/** Returns the rule that a task's `finding_id` breaks, for a message; null: none. `idSchema` checks the rest. */
export function findFindingIdProblem(id: string): string | null {
  return id.startsWith(QUERY_PREFIX)
    ? `${JSON.stringify(id)}: ${QUERY_PREFIX}… is kept for the archive's answers`
    : null;
}

/** Returns the rule that a batch's name breaks, for a message; null: none. */
export function findBatchNameProblem(name: string): string | null {
  return BATCH_NAME.test(name)
    ? null
    : `expected letters, digits, dot, underscore or dash, got ${JSON.stringify(name)}`;
}

/**
 * Returns the job id of a numbered task. The same line of a batch, or task of a plan, always gets the same id.
 * @param n line of the batch or number of the planned task, from 1
 */
export function toTaskId(parent: string, n: number): string {
  return `${parent}-${n}`;
}
