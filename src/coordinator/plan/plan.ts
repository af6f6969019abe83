import { z } from 'zod';
import { SONNET_REASONS, type SonnetReason } from '../../../queues/reasons.ts';
import { TASK_KINDS } from '../../../queues/kinds.ts';
import { TASK_LIMITS } from '../../../queues/tasks.ts';

/** One task of a plan, as the planner writes it. `{item}` in description and files is replaced by each entry of `for_each`. */
const plannedTaskSchema = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'lower-case letters, digits, dash and underscore, at most 40'),
  description: z.string().min(1).max(20_000),
  kind: z.enum(TASK_KINDS),
  model: z.string().min(1).max(200).default('haiku'), // `haiku`, `sonnet` or the id of a row (`PlanModels`)
  reason: z.enum(SONNET_REASONS).nullish(), // of a task for an expensive model
  depends_on: z.array(z.string()).max(100).default([]), // ids of tasks of this plan
  for_each: z.array(z.string().min(1).max(2_000)).max(5_000).nullish(), // one task for each entry
  files: z.array(z.string().min(1).max(TASK_LIMITS.file)).max(1_000).nullish(), // relative to the workspace; `{item}` is filled in too
});

/** The planner's reply. */
export const planSchema = z.object({
  approach: z.string().max(5_000), // one paragraph for people
  tasks: z.array(plannedTaskSchema),
});

/** A plan that a person has edited: an unknown field is an error. */
export const personsPlanSchema = z.strictObject({
  ...planSchema.shape,
  tasks: z.array(z.strictObject(plannedTaskSchema.shape)),
});

export type Plan = z.output<typeof planSchema>;
export type PlannedTask = Plan['tasks'][number];

/** One task of an expanded plan (`expandPlan`). Each becomes a job. */
export interface PlanNode {
  /** Position in the plan, from 1. The job is `<mission>-<n>`. */
  n: number;
  /** Id of the planned task it comes from. */
  task: string;
  description: string;
  kind: PlannedTask['kind'];
  /** `haiku`, `sonnet` or the id of a model's row. */
  model: string;
  reason: SonnetReason | null;
  files: string[];
  /** Positions of the nodes it depends on: all nodes of the tasks it names. */
  dependsOn: number[];
}
