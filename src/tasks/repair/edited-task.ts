import { taskInputSchema, type TaskInput } from '../../../queues/tasks.ts';
import { UsageError } from '../../errors.ts';
import { readVendorStamp } from '../../routing/allowed-vendors.ts';
import { checkTask, type CheckedTask } from '../check.ts';
import { toExactData } from '../exact-data.ts';
import type { KnownNames } from '../known-names.ts';
import type { TaskEdit } from './types.ts';

/** What the fleet has added to a task; an edit keeps it. */
const STAMPS = new Set([
  'session',
  'client',
  'shard',
  'batch',
  'mission_id',
  'builds_on',
  'line',
  'origin',
  'bridge',
  'vendors',
]);

/**
 * A job's task as a person changed it, checked as a new one is.
 * @param data of the job, which any program may have added
 * @throws UsageError naming the rule that the edit, or the edited task, breaks
 */
export function editTask(data: unknown, edit: TaskEdit, known: KnownNames): Promise<CheckedTask> {
  const vendors = readVendorStamp(data);
  if (edit.data !== undefined) return checkTask(edit.data, known, vendors);
  const asked = readAsked(data);
  const { model, maxTurns: max_turns, effort, budgetUsd: budget_usd } = edit;
  const changed = onlyGiven({ model, max_turns, effort, budget_usd });
  const edited = Object.entries({ ...asked, ...toDescription(asked['description'], edit), ...changed });
  const left = edited.filter(([name, value]) => value !== null || !Object.hasOwn(changed, name)); // its data may be null
  return checkTask(Object.fromEntries(left), known, vendors);
}

function onlyGiven(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function toDescription(before: unknown, { description, append }: TaskEdit): { description?: string } {
  if (description === undefined && append === undefined) return {};
  if (append?.trim() === '') throw new UsageError('append: expected words, got none');
  const text = description ?? (typeof before === 'string' ? before : '');
  return { description: append === undefined ? text : `${text}\n\n${append}` };
}

/** @param data of a job, which any program may have added */
export function stampsOf(data: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(toObject(data)).filter(([name]) => STAMPS.has(name)));
}

/** What the caller asked for: without stamps, and without keys that this version does not know. */
export function withoutStamps(data: unknown): Record<string, unknown> {
  const known = new Set(Object.keys(taskInputSchema.shape));
  return Object.fromEntries(Object.entries(toObject(data)).filter(([name]) => known.has(name)));
}

/** What the caller asked for, with exact numbers in its data: a task that may be edited and enqueued again. */
export function readAsked(data: unknown): Record<string, unknown> {
  const asked = withoutStamps(data);
  const { data_text: text } = toObject(data);
  if (typeof text !== 'string') return asked;
  return { ...asked, data: toExactData({ data: asked['data'] as TaskInput['data'], data_text: text }) };
}

/** Any program may have added the job: its data need not be an object. */
export function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
