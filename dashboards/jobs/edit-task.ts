import type { Queue } from 'bullmq';
import { z } from 'zod';
import { EFFORTS, type Effort } from '../../queues/effort.ts';
import type { QueueName } from '../../queues/registry.ts';
import { tasksQueue, type TaskInput } from '../../queues/tasks.ts';
import { parseJson } from '../../src/cli/input/files.ts';
import type { Config } from '../../src/config/environment.ts';
import { NotFoundError, UsageError } from '../../src/errors.ts';
import { describeMissing } from '../../src/jobs/describe-missing.ts';
import type { Db } from '../../src/redis/db.ts';
import { readVendorStamp } from '../../src/routing/allowed-vendors.ts';
import { listUsableModels } from '../../src/tasks/check-models.ts';
import { readKnownNames, toConfigured } from '../../src/tasks/known-names.ts';
import { readAsked } from '../../src/tasks/repair/edited-task.ts';
import type { TaskEdit } from '../../src/tasks/repair/types.ts';
import { stringifyExact } from '../../src/text/exact-json.ts';
import { readTaskBudget } from './task-budget.ts';

/** What a person typed that is no number: the rule of its field refuses it. */
const amount = z.union([z.number(), z.string().max(100)]);

/** The edits of `fleet retry`, as a page sends them. Their rules are those of tasks. Null: the default again. */
export const editSchema = z.strictObject({
  description: z.string().max(400_000).optional(),
  append: z.string().max(400_000).optional(),
  model: z.string().max(200).nullable().optional(),
  maxTurns: amount.nullable().optional(),
  effort: z.string().max(20).nullable().optional(),
  budgetUsd: amount.optional(),
  /** A whole task, in place of all other fields. */
  json: z.string().max(800_000).optional(),
});
export type PageEdit = z.infer<typeof editSchema>;

/** The fields of the form, by the name that a rule gives them. */
const FIELDS: Readonly<Record<string, keyof PageEdit>> = {
  description: 'description',
  append: 'append',
  model: 'model',
  max_turns: 'maxTurns',
  effort: 'effort',
  budget_usd: 'budgetUsd',
  data: 'json',
};

/** Numbers of the JSON stay exact. @returns `problem`: why it is none */
export function toTaskEdit({ json, ...fields }: PageEdit): TaskEdit | { problem: string } {
  if (json === undefined) return fields as TaskEdit; // a wrong type is refused by the rule of its field
  try {
    return { ...(fields as TaskEdit), data: parseJson('data', json) };
  } catch (error) {
    if (error instanceof UsageError) return { problem: error.message };
    throw error;
  }
}

/** The field that a refusal is about. Null: all of the task, or nothing of it. */
export function toRefusedField(message: string): keyof PageEdit | null {
  const name = /(?:^|[:;] )([a-z_]+)(?:(?:\.\d+)*| "[^"]*"): /.exec(
    message.replace(/^job \S+: /, '').replace(/^task: /, ''),
  )?.[1];
  return name !== undefined && Object.hasOwn(FIELDS, name) ? (FIELDS[name] ?? null) : null;
}

/**
 * What the form of an edit begins with: the task as it was asked for.
 * @throws NotFoundError where there is no such task
 */
export async function readTaskForm(
  { db, queues, config }: { db: Db; queues: Record<QueueName, Queue>; config: Config },
  id: string,
) {
  const job = await queues.tasks.getJob(id);
  if (job === undefined) throw new NotFoundError(describeMissing(tasksQueue.name, id));
  const [known, budget] = await Promise.all([readKnownNames(db, toConfigured(config)), readTaskBudget(db, id)]);
  const asked = readAsked(job.data);
  const text = (name: keyof TaskInput): string => (typeof asked[name] === 'string' ? asked[name] : '');
  const number = (name: keyof TaskInput): number | null => (typeof asked[name] === 'number' ? asked[name] : null);
  const plain = { description: 'x', ...(job.data as object) } as TaskInput;
  return {
    description: text('description'),
    model: text('model'),
    maxTurns: number('max_turns'),
    effort: text('effort') as Effort | '',
    budgetNanoUsd: budget?.limit ?? null,
    json: stringifyExact(asked, 2),
    models: listUsableModels(plain, known, readVendorStamp(job.data)),
    efforts: EFFORTS,
  };
}
