import { createPlanAdmission, findExcess, readSonnetRoom } from './delegate/sonnet-quota.ts';
import { toKnown } from './gather.ts';
import { expandPlan } from './plan/expand.ts';
import { countByName, describeNames } from './plan/name-counts.ts';
import { toPlanModels } from './plan/plan-models.ts';
import { readWorkerFacts } from './plan/worker-facts.ts';
import { MOST_TASKS, PLAN_PROMPT_VERSION, toPlanCall } from './plan/prompt.ts';
import type { MissionRun } from './step/run.ts';
import { startOf } from '../text/start-of.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { findKeyProblem } from '../models/create/known-models.ts';

/** Asks Sonnet for the plan and stores it with its tasks. @throws TaskFailedError `malformed` with the reply */
export async function makePlan(
  run: Pick<MissionRun, 'db' | 'config' | 'mission' | 'calls' | 'record' | 'job' | 'now'>,
): Promise<void> {
  const { db, config, record } = run;
  const { id, data, session } = run.mission;
  const { recall, survey, answers } = await record.read();
  await record.patch({ step: 'plan' });
  const mission = { missionId: id, session };
  const mode = data.dry_run === true ? 'look' : 'admit'; // an approved plan is admitted when it runs
  const maxTasks = data.max_tasks ?? MOST_TASKS;
  const models = toPlanModels(config, {
    vendors: run.mission.vendors,
    at: run.now(),
    canCall: (entry) => findKeyProblem(entry, config) === null,
  });
  const plan = await run.calls.ask(
    toPlanCall({
      catalog: catalogOf(config),
      model: config.FLEET_COORDINATOR_MODEL,
      effort: config.FLEET_SONNET_EFFORT,
      goal: data.goal,
      workspace: data.workspace ?? null,
      worker: await readWorkerFacts(db, data.workspace ?? null),
      ...(survey !== null && 'files' in survey ? { files: survey.files, fileCount: survey.total } : { files: [] }),
      archive: toKnown(recall)?.answer ?? null,
      answers,
      limits: { maxTasks, maxSonnet: await readSonnetRoom(db, mission, maxTasks), models },
      ...(data.topics === undefined ? {} : { topics: data.topics }),
      admit: createPlanAdmission(db, mission, models, mode),
    }),
  );
  const nodes = expandPlan(plan);
  const counts = { total: nodes.length, added: 0, done: 0, failed: 0, cancelled: 0, skipped: 0 };
  const excess = await findExcess(db, mission, plan, models);
  await record.patch({ plan, nodes, counts, excess, step: 'delegate', plannedAt: run.now().toISOString() });
  await run.job.log(
    `plan (${PLAN_PROMPT_VERSION}): ${describeNames(countByName(nodes))}. ${startOf(plan.approach, 500)}`,
  );
}
