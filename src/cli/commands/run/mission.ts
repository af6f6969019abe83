import type { MissionInput } from '../../../../queues/missions.ts';
import type { EnqueuedMission } from '../../../coordinator/mission/enqueue.ts';
import { addMission } from '../../../coordinator/mission/enqueue.ts';
import { missionExists } from '../../../coordinator/mission/record.ts';
import { readMissionStatus } from '../../../coordinator/mission/status.ts';
import { NotFoundError, UsageError } from '../../../errors.ts';
import { formatUsd, toExactUsd } from '../../../pricing/money.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { describeWaiting } from '../../output/waiting-patches.ts';
import { EXIT } from '../../output/report-failure.ts';
import { printJson } from '../../output/print.ts';
import { renderAnswer, renderMission, renderMissionTable, renderPlan } from '../../output/mission.ts';
import { warnOfTightMission, warnWithoutCoordinator } from '../../output/warnings.ts';
import { withFleet } from '../../input/with-fleet.ts';

export interface MissionCommandOptions {
  wait?: boolean;
  budget?: string;
  session?: string;
  workspace?: string;
  isolate?: boolean;
  topic?: string[];
  quorum?: string;
  maxTasks?: number;
  missionId?: string;
  dryRun?: boolean;
  json?: boolean;
}

/** Most missions of `fleet mission ls`. */
const LISTED = 20;

/** Does `fleet mission`. */
export async function runMissionCommand(goal: string, options: MissionCommandOptions): Promise<void> {
  if (goal === 'ls') return withFleet((fleet) => list(fleet, options));
  const input = toInput(goal, options);
  await withFleet(async (fleet) => {
    const isId = /^\S+$/.test(goal) && (await missionExists(fleet.inner.db, goal));
    if (isId) return show(fleet, goal, options);
    if (/^mission-\S*$/.test(goal)) throw new NotFoundError(`mission ${goal}: there is none of this id`);
    await add(fleet, input, options);
  });
}

/** @throws UsageError for an empty goal and for a budget or quorum that is no number in its range */
function toInput(goal: string, options: MissionCommandOptions): MissionInput {
  const { budget, workspace, isolate, topic, quorum, maxTasks, dryRun } = options;
  if (goal.trim() === '') throw new UsageError('mission: expected a goal in plain words, got nothing');
  return {
    goal,
    ...(workspace === undefined ? {} : { workspace }),
    ...(isolate === false ? { isolate } : {}),
    ...(topic === undefined ? {} : { topics: topic }),
    ...(budget === undefined ? {} : { budget_usd: toBudget(budget) }),
    ...(quorum === undefined ? {} : { quorum: toQuorum(quorum) }),
    ...(maxTasks === undefined ? {} : { max_tasks: maxTasks }),
    ...(dryRun === true ? { dry_run: true } : {}),
  };
}

function toBudget(text: string): number {
  const usd = Number(text.replace(/^\$/, ''));
  if (Number.isFinite(usd) && usd > 0 && usd <= 1_000_000 && text.trim() !== '') return usd;
  throw new UsageError(
    `--budget: expected dollars above 0, at most 1000000, got ${JSON.stringify(text)}; with nothing to spend a mission cannot even plan`,
  );
}

function toQuorum(text: string): number {
  const share = Number(text);
  if (text.trim() !== '' && share >= 0 && share <= 1) return share;
  throw new UsageError(`--quorum: expected a share, 0..1, got ${JSON.stringify(text)}`);
}

async function add(fleet: OpenFleet, input: MissionInput, options: MissionCommandOptions): Promise<void> {
  const { inner } = fleet;
  const { missionId, session = await inner.currentSession() } = options;
  const parts = { ...inner, configured: Object.keys(inner.config.FLEET_WORKSPACES) };
  const added = await addMission(parts, input, { missionId, session });
  await warnWithoutCoordinator(fleet);
  if (added.added) await warnOfTightMission(inner.config, input, added.id);
  const waits = options.wait === true || options.dryRun === true;
  if (!waits && options.json) return printJson(toJson(added));
  const said = added.added ? `Mission ${added.id}` : `${added.id} is there already: ${added.state}; nothing was added`;
  if (!waits) {
    console.log(said);
    return console.log(`  its state: fleet mission ${added.id}`);
  }
  if (!options.json) console.error(`${said}${options.dryRun ? ': the plan alone; its calls are paid' : ''}`);
  await wait(fleet, added, options);
}

async function wait(fleet: OpenFleet, mission: EnqueuedMission, options: MissionCommandOptions): Promise<void> {
  const { followMission } = await import('../../follow/mission.ts');
  const end = await followMission(fleet, mission.id, (line) => console.error(line));
  const { db } = fleet.inner;
  const status = await readMissionStatus(db, mission.id);
  if (end.state === 'done') {
    if (end.finding === null) return showPlan(fleet, mission.id, options);
    await showAnswer(fleet, end.finding, options);
    const waiting = options.json ? null : await describeWaiting(db, { mission: mission.id });
    return waiting === null ? undefined : console.log(`\n${waiting}`);
  }
  process.exitCode = end.state === 'halted' ? EXIT.halted : EXIT.failed;
  const problem = end.state === 'halted' ? `${end.halt.reason}: ${end.halt.detail}` : end.problem;
  if (options.json) return printJson({ ...toJson(mission), state: end.state, problem, status });
  console.error(
    `❌ mission ${mission.id} ${end.state === 'halted' ? 'waits, the fleet is halted' : end.state}: ${problem}`,
  );
  if (status !== null) console.log(renderMission(status));
}

async function showAnswer(fleet: OpenFleet, findingId: string, { json }: MissionCommandOptions): Promise<void> {
  const answer = await fleet.findings.get(findingId);
  if (answer === null) throw new NotFoundError(`finding ${findingId}: it is not there any more`);
  if (json) return printJson(answer);
  const sources = await Promise.all(answer.citations.map(async (id) => [id, await fleet.findings.get(id)] as const));
  console.log(renderAnswer(answer, sources));
}

async function showPlan(fleet: OpenFleet, id: string, { json }: MissionCommandOptions): Promise<void> {
  const { db } = fleet.inner;
  const status = await readMissionStatus(db, id);
  if (status === null || status.plan === null) throw new NotFoundError(`mission ${id}: it has no plan`);
  const { plan, budget, workspace } = status;
  const { config, queues } = fleet.inner;
  const { forecastPlan } = await import('../../../coordinator/plan/forecast.ts');
  const { expandPlan } = await import('../../../coordinator/plan/expand.ts');
  const forecast = await forecastPlan(
    { db, queue: queues.tasks, findings: fleet.findings, config, now: new Date() },
    { nodes: expandPlan(plan), workspace },
  );
  if (json) return printJson({ mission_id: id, plan, cost_usd: Number(toExactUsd(budget.settled)), forecast });
  const { renderMissionForecast } = await import('../../output/forecast.ts');
  console.log(renderPlan(plan));
  console.log(`\n${renderMissionForecast(forecast)}`);
  console.log(`\nMaking the plan cost ${formatUsd(budget.settled, 6)}; no task was added.`);
}

async function show(fleet: OpenFleet, id: string, options: MissionCommandOptions): Promise<void> {
  const { db } = fleet.inner;
  if (options.wait) {
    const mission = { id, findingId: '', added: false, state: 'unknown' as const };
    return wait(fleet, mission, options);
  }
  const status = await readMissionStatus(db, id);
  if (status === null) throw new NotFoundError(`mission ${id}: there is none of this id`);
  if (options.json) return printJson(status);
  console.log(renderMission(status));
}

async function list(fleet: OpenFleet, { json, session }: MissionCommandOptions): Promise<void> {
  const missions = await fleet.missions.list({ limit: LISTED, ...(session === undefined ? {} : { session }) });
  if (json) return printJson(missions);
  if (missions.length === 0 && session !== undefined) return console.log(`There is no mission of session ${session}.`);
  console.log(renderMissionTable(missions));
}

function toJson({ id, findingId, added, state }: EnqueuedMission): object {
  return { mission_id: id, finding_id: findingId, added, state };
}
