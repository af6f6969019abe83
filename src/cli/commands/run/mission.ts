import type { MissionInput } from '../../../../queues/missions.ts';
import type { EnqueuedMission } from '../../../coordinator/mission/enqueue.ts';
import { missionExists } from '../../../coordinator/mission/record.ts';
import { isPlanned } from '../../../coordinator/mission/shown-state.ts';
import { readMissionStatus } from '../../../coordinator/mission/status.ts';
import { describeThere } from '../../follow/there-already.ts';
import { assertWaits, waitInTime } from '../../follow/wait-timeout.ts';
import { assertSameWords } from '../../../jobs/same-words.ts';
import { describeEnd, NotFoundError, UsageError } from '../../../errors.ts';
import { formatSpent } from '../../../pricing/free-local.ts';
import { toExactUsd } from '../../../pricing/money.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { describeWaiting } from '../../output/waiting-patches.ts';
import { EXIT } from '../../output/report-failure.ts';
import { noteHalt } from '../../output/halt-note.ts';
import { printJson } from '../../output/print.ts';
import { readSources, renderAnswer, renderMission, renderMissionTable } from '../../output/mission.ts';
import { warnOfTightMission, warnWithoutCoordinator } from '../../output/warnings.ts';
import { assertMeant, describeExcessWords, isGivenAsText } from '../../input/meant-words.ts';
import { withFleet } from '../../input/with-fleet.ts';

export interface MissionCommandOptions {
  wait?: boolean;
  timeout?: number;
  budget?: string;
  session?: string;
  workspace?: string;
  isolate?: boolean;
  for?: MissionInput['for'];
  topic?: string[];
  shard?: string;
  quorum?: string;
  maxTasks?: number;
  missionId?: string;
  dryRun?: boolean;
  approve?: boolean;
  drop?: number[];
  edit?: string;
  plan?: boolean;
  json?: boolean;
}

/** Most missions of `fleet mission ls`. */
const LISTED = 20;

/** Does `fleet mission`. */
export async function runMissionCommand(
  goal: string,
  mission: string | undefined,
  options: MissionCommandOptions,
): Promise<void> {
  if (mission !== undefined) {
    const meant = describeExcessWords(['mission', goal, mission]);
    throw new UsageError(
      `mission: expected one goal in quotes, or \`run\` with the id of a mission; got ${JSON.stringify(goal)} and ${JSON.stringify(mission)}. ${meant}`,
    );
  }
  assertWaits('mission', options.timeout, options.wait === true || options.dryRun === true);
  for (const name of ['drop', 'edit'] as const) {
    if (options[name] === undefined) continue;
    throw new UsageError(`mission: --${name} changes a plan that runs: fleet mission run ID --${name} …`);
  }
  if (goal === 'ls' && !isGivenAsText()) return withFleet((fleet) => list(fleet, options));
  const input = toInput(goal, options);
  await withFleet(async (fleet) => {
    const isId = /^\S+$/.test(goal) && !isGivenAsText() && (await missionExists(fleet.inner.db, goal));
    if (isId) return show(fleet, goal, options);
    if (/^mission-\S*$/.test(goal) && !isGivenAsText())
      throw new NotFoundError(`mission ${goal}: there is none of this id`);
    await assertMeant(goal, {
      command: 'mission',
      as: 'a goal',
      effect: 'planning it is paid',
      instead: ['fleet mission ls', 'fleet mission ID', 'fleet park ID'],
    });
    await add(fleet, input, options);
  });
}

/** @throws UsageError for an empty goal and for a budget or quorum that is no number in its range */
function toInput(goal: string, options: MissionCommandOptions): MissionInput {
  const { budget, workspace, isolate, topic, shard, quorum, maxTasks, dryRun, approve } = options;
  if (goal.trim() === '') throw new UsageError('mission: expected a goal in plain words, got nothing');
  return {
    goal,
    ...(workspace === undefined ? {} : { workspace }),
    ...(isolate === false ? { isolate } : {}),
    ...(options.for === undefined ? {} : { for: options.for }),
    ...(topic === undefined ? {} : { topics: topic }),
    ...(shard === undefined ? {} : { shard }),
    ...(budget === undefined ? {} : { budget_usd: toBudget(budget) }),
    ...(quorum === undefined ? {} : { quorum: toQuorum(quorum) }),
    ...(maxTasks === undefined ? {} : { max_tasks: maxTasks }),
    ...(dryRun === true ? { dry_run: true } : {}),
    ...(approve === true ? { approve } : {}),
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
  const added = await fleet.missions.add(input, { session, ...(missionId === undefined ? {} : { missionId }) });
  if (!added.added) await assertSameWords(inner.db, 'missions', { ...added, words: input.goal });
  await warnWithoutCoordinator(fleet);
  if (added.added) await warnOfTightMission(inner.config, input, added.id);
  const waits = options.wait === true || options.dryRun === true;
  if (!waits && options.json) return printJson(toJson(added));
  const there = added.added ? '' : await describeThere(inner.db, 'missions', added);
  const said = added.added ? `Mission ${added.id}` : `${there}; nothing was added`;
  if (!waits) {
    console.log(said);
    if (options.approve) console.log('  it waits with its plan until you run it');
    return console.log(`  its state: fleet mission ${added.id}`);
  }
  if (!options.json) console.error(`${said}${options.dryRun ? ': the plan alone; its calls are paid' : ''}`);
  await waitForMission(fleet, added, options);
}

/** Waits for the end of a mission, and prints it. */
export async function waitForMission(
  fleet: OpenFleet,
  mission: EnqueuedMission,
  options: MissionCommandOptions,
): Promise<void> {
  const { followMission } = await import('../../follow/mission.ts');
  const again = `fleet mission ${mission.id} --wait --timeout ${options.timeout}`;
  const end = await waitInTime({ timeout: options.timeout, again, id: mission.id }, (say) =>
    followMission(fleet, mission.id, say),
  );
  const { db } = fleet.inner;
  const status = await readMissionStatus(db, mission.id);
  if (end.state === 'done') {
    if (end.finding === null) return showPlan(fleet, mission.id, options);
    await showAnswer(fleet, end.finding, options);
    const waiting = options.json ? null : await describeWaiting(db, { mission: mission.id });
    return waiting === null ? undefined : console.log(`\n${waiting}`);
  }
  process.exitCode = end.state === 'halted' ? EXIT.halted : EXIT.failed;
  if (end.state === 'planned') return showPlan(fleet, mission.id, options);
  const problem = end.state === 'halted' ? `${end.halt.reason}: ${end.halt.detail}` : end.problem;
  if (options.json) return printJson({ ...toJson(mission), state: end.state, problem, status });
  if (end.state === 'cancelled') console.error(`⏹  mission ${mission.id} ${describeEnd(problem)}`);
  else {
    const what = end.state === 'halted' ? 'waits, the fleet is halted' : end.state;
    console.error(`❌ mission ${mission.id} ${what}: ${problem}`);
  }
  if (status !== null) console.log(renderMission(status));
}

async function showAnswer(fleet: OpenFleet, findingId: string, { json }: MissionCommandOptions): Promise<void> {
  const answer = await fleet.findings.get(findingId);
  if (answer === null) throw new NotFoundError(`finding ${findingId}: it is not there any more`);
  if (json) return printJson(answer);
  console.log(renderAnswer(answer, await readSources(fleet.findings, answer.citations)));
}

async function showPlan(fleet: OpenFleet, id: string, { json }: MissionCommandOptions): Promise<void> {
  const reviewed = await fleet.missions.plan(id);
  const { plan, costNanoUsd, freeLocal, forecast, state } = reviewed;
  if (json) return printJson({ mission_id: id, state, plan, cost_usd: Number(toExactUsd(costNanoUsd)), forecast });
  const { renderChoices, renderMissionForecast, renderPlan } = await import('../../output/forecast.ts');
  console.log(renderPlan(reviewed));
  console.log(`\n${renderMissionForecast(forecast)}`);
  if (reviewed.approval !== null) return;
  console.log(`\nMaking the plan cost ${formatSpent(costNanoUsd, 6, freeLocal)}; no task was added.`);
  for (const line of renderChoices(reviewed)) console.log(line);
}

async function show(fleet: OpenFleet, id: string, options: MissionCommandOptions): Promise<void> {
  const { db } = fleet.inner;
  if (options.wait) {
    const mission = { id, findingId: '', added: false, state: 'unknown' as const };
    return waitForMission(fleet, mission, options);
  }
  const status = await readMissionStatus(db, id);
  if (status === null) throw new NotFoundError(`mission ${id}: there is none of this id`);
  if (options.plan) return printJson((await fleet.missions.plan(id)).plan);
  if (options.json) return printJson(status);
  console.log(renderMission(status));
  if (!isPlanned(status)) return;
  console.log('');
  await showPlan(fleet, id, options);
}

async function list(fleet: OpenFleet, { json, session }: MissionCommandOptions): Promise<void> {
  const missions = await fleet.missions.list({ limit: LISTED, ...(session === undefined ? {} : { session }) });
  if (json) return printJson(missions);
  const isNone = missions.length === 0 && session !== undefined;
  console.log(isNone ? `There is no mission of session ${session}.` : renderMissionTable(missions));
  await noteHalt(fleet.inner.db);
}

function toJson({ id, findingId, added, state }: EnqueuedMission): object {
  return { mission_id: id, finding_id: findingId, added, state };
}
