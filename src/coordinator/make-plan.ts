import { countOf } from '../text/plural.ts';
import { createPlanAdmission, readSonnetRoom } from './delegate/sonnet-quota.ts';
import { toKnown } from './gather.ts';
import { countByModel } from './plan/check.ts';
import { expandPlan } from './plan/expand.ts';
import { readWorkerFacts } from './plan/worker-facts.ts';
import { MOST_TASKS, PLAN_PROMPT_VERSION, toPlanCall } from './plan/prompt.ts';
import type { MissionRun } from './step/run.ts';
import { startOf } from '../text/start-of.ts';

/** Asks Sonnet for the plan and stores it with its tasks. @throws TaskFailedError `malformed` with the reply */
export async function makePlan(
  run: Pick<MissionRun, 'db' | 'config' | 'mission' | 'calls' | 'record' | 'job' | 'now'>,
): Promise<void> {
  const { db, config, record } = run;
  const { id, data, session } = run.mission;
  const { recall, survey } = await record.read();
  await record.patch({ step: 'plan' });
  const mission = { missionId: id, session };
  const mode = data.dry_run === true ? 'look' : 'admit';
  const maxTasks = data.max_tasks ?? MOST_TASKS;
  const plan = await run.calls.ask(
    toPlanCall({
      model: config.FLEET_SONNET_MODEL,
      effort: config.FLEET_SONNET_EFFORT,
      goal: data.goal,
      workspace: data.workspace ?? null,
      worker: await readWorkerFacts(db, data.workspace ?? null, run.now()),
      ...(survey !== null && 'files' in survey ? { files: survey.files, fileCount: survey.total } : { files: [] }),
      archive: toKnown(recall)?.answer ?? null,
      limits: { maxTasks, maxSonnet: await readSonnetRoom(db, mission, maxTasks) },
      ...(data.topics === undefined ? {} : { topics: data.topics }),
      admit: createPlanAdmission(db, mission, mode),
    }),
  );
  const nodes = expandPlan(plan);
  const counts = { total: nodes.length, added: 0, done: 0, failed: 0, skipped: 0 };
  await record.patch({ plan, nodes, counts, step: 'delegate' });
  const { sonnet } = countByModel(plan);
  await run.job.log(
    `plan (${PLAN_PROMPT_VERSION}): ${countOf(nodes.length, 'task')}, ${sonnet} of them to Sonnet. ${startOf(plan.approach, 500)}`,
  );
}
