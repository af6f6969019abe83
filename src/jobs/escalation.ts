import { z } from 'zod';
import type { TaskData } from '../../queues/tasks.ts';
import type { TaskFailedError, TaskFailureReason } from '../errors.ts';
import { toOneLine } from '../text/one-line.ts';

/** Failures of which another model may do better. */
const ESCALATING: ReadonlySet<TaskFailureReason> = new Set(['schema', 'step-limit', 'handed-back']);

/** Longest reason, UTF-16 code units. */
const LONGEST_WHY = 300;

/** Any program may have added the job: its data may be anything. */
const askedSchema = z.object({
  model: z.string().optional(),
  escalate: z.array(z.string()).min(1),
  escalated: z.array(z.object({ from: z.string(), to: z.string(), why: z.string() })).default([]),
});

/** What changes in a task that the next model of its list tries again. */
export type Escalation = Required<Pick<TaskData, 'model' | 'escalate' | 'escalated'>>;

/**
 * The next try of a task that failed.
 * @param defaultModel of tasks that name none, where the error does not tell which model did it
 * @returns null: the task names no further model, or fails for another reason
 */
export function toEscalation(data: unknown, thrown: TaskFailedError, defaultModel: string): Escalation | null {
  if (!ESCALATING.has(thrown.reason)) return null;
  const asked = askedSchema.safeParse(data).data;
  const [to, ...escalate] = asked?.escalate ?? [];
  if (asked === undefined || to === undefined) return null;
  const from = thrown.model ?? asked.model ?? defaultModel;
  const why = toOneLine(`${thrown.reason}: ${thrown.message}`, LONGEST_WHY);
  return { model: to, escalate, escalated: [...asked.escalated, { from, to, why }] };
}
