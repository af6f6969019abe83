import { z } from 'zod';

/** Ids of queries and of their answers begin with this; no other id does. */
export const QUERY_PREFIX = 'archive_';

/** Ids that are also key suffixes: no `:` (BullMQ's separator), no white space, at most 200 characters. */
export const idSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9._-]+$/, 'letters, digits, dot, underscore and dash only');

/** At most 100 characters: a task of a batch adds its line number. */
const BATCH_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The rule that a query's id breaks, for a message; null: none. */
export function findQueryIdProblem(id: string): string | null {
  return idSchema.safeParse(id).success
    ? null
    : `expected letters, digits, dot, underscore or dash, got ${JSON.stringify(id)}`;
}

/** The rule that the id of a task's or a mission's job breaks, for a message; null: none. */
export function findJobIdProblem(id: string): string | null {
  if (id.startsWith(QUERY_PREFIX)) {
    return `${JSON.stringify(id)}: ${QUERY_PREFIX}… is kept for questions to the archive`;
  }
  if (idSchema.safeParse(id).success && !/^\d+$/.test(id)) return null; // BullMQ takes no id of digits alone
  return `expected letters, digits, dot, underscore or dash, and not only digits, got ${JSON.stringify(id)}`;
}

/** The rule that the finding id which a task's caller chose breaks, besides `idSchema`; null: none. */
export function findFindingIdProblem(id: string): string | null {
  return id.startsWith(QUERY_PREFIX)
    ? `${JSON.stringify(id)}: ${QUERY_PREFIX}… is kept for the archive's answers`
    : null;
}

/** The rule that a batch's name breaks, for a message; null: none. */
export function findBatchNameProblem(name: string): string | null {
  return BATCH_NAME.test(name)
    ? null
    : `expected letters, digits, dot, underscore or dash, got ${JSON.stringify(name)}`;
}

/** Job id of a numbered task: the same line of the same batch, or node of the same mission, is the same task. @param n from 1 */
export function toTaskId(parent: string, n: number): string {
  return `${parent}-${n}`;
}
