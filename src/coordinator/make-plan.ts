import { createPlanAdmission, readSonnetRoom } from './delegate/sonnet-quota.ts';
import { countByModel } from './plan/check.ts';
import { countOf } from '../text/plural.ts';
import { MOST_TASKS, PLAN_PROMPT_VERSION, toPlanCall } from './plan/prompt.ts';
import { toKnown } from './gather.ts';
import type { StepContext } from './step/types.ts';
import { expandPlan } from './plan/expand.ts';

/** Has the plan made, and stores it with the tasks it comes to. @throws TaskFailedError `malformed` with the reply attached */
export async function makePlan(ctx: StepContext): Promise<void> {
  const { db, id, data, session, config } = ctx;
  const { recall, survey } = await ctx.read();
  await ctx.record({ step: 'plan' });
  const mission = { missionId: id, session };
  const mode = data.dry_run === true ? 'look' : 'admit';
  const maxTasks = data.max_tasks ?? MOST_TASKS;
  const plan = await ctx.askStructured(
    toPlanCall({
      model: config.FLEET_SONNET_MODEL,
      goal: data.goal,
      workspace: data.workspace ?? null,
      ...(survey !== null && 'files' in survey ? { files: survey.files, fileCount: survey.total } : { files: [] }),
      archive: toKnown(recall)?.answer ?? null,
      limits: { maxTasks, maxSonnet: await readSonnetRoom(db, mission, maxTasks) },
      ...(data.topics === undefined ? {} : { topics: data.topics }),
      admit: createPlanAdmission(db, mission, mode),
    }),
  );
  const nodes = expandPlan(plan);
  const counts = { total: nodes.length, added: 0, done: 0, failed: 0, skipped: 0 };
  await ctx.record({ plan, nodes, counts, step: 'delegate' });
  const { sonnet } = countByModel(plan);
  await ctx.note(
    `plan (${PLAN_PROMPT_VERSION}): ${countOf(nodes.length, 'task')}, ${sonnet} of them to Sonnet. ${plan.approach.slice(0, 500)}`,
  );
}
