import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { toTaskId } from '../../../queues/ids.ts';
import { taskInputSchema, type TaskInput } from '../../../queues/tasks.ts';
import { UsageError } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import { assertSameWords } from '../../jobs/same-words.ts';
import { readBudget } from '../../ledger/budget.ts';
import { formatUsd, toNanoUsd } from '../../pricing/money.ts';
import { Lease } from '../../redis/lease.ts';
import { createForecaster, type Forecast } from '../../tasks/batch/forecast.ts';
import type { BatchReport } from '../../tasks/batch/types.ts';
import { defineTool, type ToolCall } from '../tool/types.ts';
import { assertOwn } from '../work/assert-own.ts';
import { catalogOf } from '../../pricing/catalog.ts';
import { createModelOf } from '../../routing/model-of.ts';

const MOST_TASKS = 1_000;
/** Invalid tasks that an error names. */
const NAMED = 5;

const task = taskInputSchema
  .omit({ built_in: true, data: true, schema: true, finding_id: true }) // with an id of its own a finding outlives what finds it
  .extend({ data: z.unknown(), schema: z.record(z.string(), z.unknown()) })
  .partial({ data: true, schema: true });

const input = z.strictObject({
  tasks: z.array(task).min(1).max(MOST_TASKS).describe('each for one cheap worker that knows nothing but this text'),
  batch: z.string().optional().describe('a name of yours: the same call again adds nothing twice'),
  workspace: z.string().optional().describe('for tasks that name none'),
  schema: z.record(z.string(), z.unknown()).optional().describe('JSON Schema of the result, for tasks that have none'),
  budget_usd: z
    .number()
    .positive()
    .max(1_000_000)
    .optional()
    .describe('of the whole batch; reaching it parks the rest; a higher one releases it'),
  confirm: z.boolean().optional().describe('true: you have seen the forecast'),
});

const output = z.object({
  batch: z.string(),
  added: z.int(),
  existing: z.int(),
  ids: z.string().describe('first..last'),
  likely_usd: z.string(),
  high_usd: z.string(),
  budget_left_usd: z.string(),
  needs_confirm: z.boolean().optional(),
  next: z.string(),
});

/** Adds tasks as one batch, or adds none of them. */
export const delegate = defineTool({
  name: 'delegate',
  title: 'Delegate tasks',
  description:
    'Give tasks to the fleet as one batch. Returns its name, ids and a cost forecast at once; then call wait. All tasks are checked first: one that breaks a rule adds none. A dear batch returns the forecast alone and wants confirm: true.',
  needs: 'delegate',
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input,
  output,
  async run(call, given) {
    const { fleet } = call;
    const batch = given.batch ?? `mcp-${randomBytes(5).toString('hex')}`;
    await assertOwn(call, 'delegate', { batch });
    const tasks = given.tasks.map((one) => withDefaults(one as TaskInput, given));
    const { report, forecast } = await check(call, batch, tasks);
    const answer = (done: Pick<BatchReport, 'added' | 'existing'>, next: string) => ({
      batch,
      added: done.added,
      existing: done.existing,
      ids: tasks.length === 1 ? toTaskId(batch, 1) : `${toTaskId(batch, 1)}..${tasks.length}`,
      likely_usd: formatUsd(forecast.likely, 4),
      high_usd: formatUsd(forecast.high, 4),
      budget_left_usd: formatUsd(forecast.budgetLeft, 4),
      next,
    });
    const { db, config } = fleet.inner;
    const budget = given.budget_usd === undefined ? Infinity : toNanoUsd(given.budget_usd);
    const { limit: before } = await readBudget(db, { batch });
    const raises = given.budget_usd !== undefined && before !== null && budget > before;
    const most = raises ? budget : Math.min(forecast.likely, budget); // what the batch held back may be spent then
    const limit = toNanoUsd(config.FLEET_MCP_CONFIRM_USD);
    if (given.confirm !== true && most > limit) {
      const what = raises ? 'the higher budget' : 'the forecast';
      const next = `nothing was added: ${what} is above ${formatUsd(limit, 4)}; if it is worth it, call delegate again with this batch and confirm: true`;
      return { ...answer({ added: 0, existing: report.existing }, next), needs_confirm: true };
    }
    const lease = new Lease(db, db.keys.lease(`delegate:${batch}`));
    if (!(await lease.take())) throw new UsageError(`batch ${batch}: another call adds it right now; call again`);
    try {
      const options = { batch, ...(given.budget_usd === undefined ? {} : { budgetUsd: given.budget_usd }) };
      return answer(await fleet.tasks.addMany(tasks, options), `wait with batch ${batch}`);
    } finally {
      await lease.release();
    }
  },
});

function withDefaults(one: TaskInput, { workspace, schema }: z.output<typeof input>): TaskInput {
  return {
    ...(workspace === undefined ? {} : { workspace }),
    ...(schema === undefined ? {} : { schema: schema as NonNullable<TaskInput['schema']> }),
    ...one,
  };
}

/** Checks all tasks and adds none. @throws UsageError naming the tasks that break a rule, or that the batch has otherwise */
async function check(
  { fleet }: ToolCall,
  batch: string,
  tasks: TaskInput[],
): Promise<{ report: BatchReport; forecast: Forecast }> {
  const { db, config } = fleet.inner;
  const forecaster = createForecaster({
    db,
    findings: fleet.findings,
    catalog: catalogOf(config),
    modelOf: createModelOf(config, db.clock.date()),
    coordinatorModel: config.FLEET_COORDINATOR_MODEL,
    now: db.clock.date(),
  });
  const existing: { id: string; findingId: string; words: string }[] = [];
  const report = await fleet.tasks.addMany(tasks, {
    batch,
    dryRun: true,
    onTask: (_line, { added, id, input: one }) => {
      if (added) forecaster.add(one);
      else existing.push({ id, findingId: toFindingId(id), words: one.description });
    },
  });
  if (report.invalid > 0) {
    const named = report.problems.slice(0, NAMED).map(({ line, message }) => `task ${line}: ${message}`);
    const more = report.invalid > NAMED ? `; and ${report.invalid - NAMED} more` : '';
    throw new UsageError(`${named.join('; ')}${more}; nothing was added: correct them and call again`);
  }
  for (const job of existing) await assertSameWords(db, 'tasks', job);
  return { report, forecast: await forecaster.forecast() };
}
