import type { OpenFleet } from '../../../api/open-fleet.ts';
import type { RunPlan } from '../../../coordinator/mission/review-types.ts';
import { UsageError } from '../../../errors.ts';
import { countOf } from '../../../text/plural.ts';
import { assertWaits } from '../../follow/wait-timeout.ts';
import { readJsonFile } from '../../input/files.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { renderMissionForecast } from '../../output/forecast.ts';
import { printJson } from '../../output/print.ts';
import { warnWithoutCoordinator } from '../../output/warnings.ts';
import { waitForMission, type MissionCommandOptions } from './mission.ts';

/** Options of a mission that was planned already: it keeps those that it was given. */
const SETTLED = [
  'budget',
  'session',
  'workspace',
  'topic',
  'quorum',
  'maxTasks',
  'missionId',
  'approve',
  'plan',
] as const;

/** Does `fleet mission run`. */
export async function runPlanCommand(mission: string | undefined, options: MissionCommandOptions): Promise<void> {
  if (mission === undefined) {
    throw new UsageError('mission run: expected the id of a mission; fleet mission ls lists those that are planned');
  }
  assertWaits('mission run', options.timeout, options.wait === true && options.dryRun !== true);
  const settled = SETTLED.find((name) => options[name] !== undefined);
  if (settled !== undefined || options.isolate === false) {
    const name = (settled ?? 'no-isolate').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(`mission run: --${name} is given with the goal; the mission keeps what it was given`);
  }
  const edit = options.edit === undefined ? undefined : readJsonFile('--edit', options.edit);
  await withFleet((fleet) => run(fleet, mission, edit, options));
}

async function run(fleet: OpenFleet, id: string, edit: unknown, options: MissionCommandOptions): Promise<void> {
  const { drop, dryRun = false, json } = options;
  const ran = await fleet.missions.run(id, {
    dryRun,
    ...(drop === undefined ? {} : { drop }),
    ...(edit === undefined ? {} : { edit }),
  });
  if (!dryRun) await warnWithoutCoordinator(fleet);
  const waits = options.wait === true && !dryRun;
  if (json && !waits) return printJson(ran);
  const print = waits ? console.error : console.log;
  for (const line of renderRun(ran, dryRun)) print(line);
  if (!waits) return dryRun ? undefined : console.log(`  its state: fleet mission ${id}`);
  await waitForMission(fleet, { id, findingId: '', added: false, state: 'unknown' }, options);
}

function renderRun(
  { missionId: id, again, tasks, dropped, edited, forecast, notes }: RunPlan,
  dryRun: boolean,
): string[] {
  const without = dropped.length === 0 ? '' : `, without ${dropped.join(', ')}`;
  const what = `${edited ? 'the edited plan, ' : ''}${countOf(tasks.length, 'task')}${without}`;
  if (again) return [`Mission ${id} runs already: ${what}; nothing was changed`];
  return [
    dryRun ? `Mission ${id} would run: ${what}; nothing was changed` : `Mission ${id} runs: ${what}`,
    ...notes.map((note) => `⚠️  ${note}`),
    '',
    renderMissionForecast(forecast),
  ];
}
