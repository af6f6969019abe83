import { countOf } from '../../../text/plural.ts';
import { UsageError } from '../../../errors.ts';
import { createHaltSwitch, describeHalt } from '../../../halt/halt.ts';
import type { Halt } from '../../../halt/types.ts';
import { resumeMission, type MissionDecision } from '../../../coordinator/control/resume.ts';
import { formatUsd } from '../../../pricing/money.ts';
import { createNotifier } from '../../../swarm/notify.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import type { StatusSnapshot } from '../../../status/types.ts';
import { describeTightBudget } from '../../output/warnings.ts';
import { withFleet, currentUser, readSnapshot } from '../../input/with-fleet.ts';

export interface ResumeOptions {
  retry?: boolean;
  skipGemini?: boolean;
  acceptShards?: boolean;
}

/** Does `fleet resume`. */
export async function runResumeCommand(mission: string | undefined, options: ResumeOptions): Promise<void> {
  const choice = toChoice(mission, options);
  await withFleet((fleet) => (mission === undefined ? liftHalt(fleet) : resumeOne(fleet, mission, choice)));
}

function toChoice(
  mission: string | undefined,
  { retry, skipGemini, acceptShards }: ResumeOptions,
): MissionDecision | null {
  const all: [boolean | undefined, MissionDecision][] = [
    [retry, 'retry'],
    [skipGemini, 'skip-gemini'],
    [acceptShards, 'accept-shards'],
  ];
  const given = all.flatMap(([is, choice]) => (is === true ? [choice] : []));
  if (given.length > 1) {
    throw new UsageError(`resume: expected one choice, got ${given.map((choice) => `--${choice}`).join(' and ')}`);
  }
  if (given[0] !== undefined && mission === undefined) {
    throw new UsageError(`resume: --${given[0]} is for one mission: fleet resume MISSION --${given[0]}`);
  }
  return given[0] ?? null;
}

async function liftHalt(fleet: OpenFleet): Promise<void> {
  const { db, config, queues } = fleet.inner;
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
  const lifted = await createHaltSwitch(db, Object.values(queues), { notifier }).resume(currentUser());
  await notifier.flush();
  console.log(describeLifted(lifted));
  await describeRest(fleet);
}

async function resumeOne(fleet: OpenFleet, mission: string, choice: MissionDecision | null): Promise<void> {
  const { db, config, queues } = fleet.inner;
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
  const halt = createHaltSwitch(db, Object.values(queues), { notifier });
  const before = await halt.read();
  const resumed = await resumeMission({ db, queues, halt, notifier }, mission, choice, currentUser());
  await notifier.flush();
  console.log(`Mission ${mission} goes on${resumed.said === null ? '' : `: ${resumed.said}`}.`);
  if (resumed.released > 0) console.log(`Released: ${countOf(resumed.released, 'job')}, waiting for a worker again`);
  if (resumed.liftedHalt && before !== null) {
    console.log(describeLifted(before));
    return describeRest(fleet);
  }
  const after = await halt.read();
  if (after !== null)
    console.log(`⛔ The fleet is still halted for another reason: ${after.reason}; fleet resume lifts it`);
}

function describeLifted({ reason, detail }: Halt): string {
  return `Lifted: ${reason}${detail === '' ? '' : ` (${detail})`}.`;
}

/** Prints what is still halted or paused, and what is left of the day's budget. */
async function describeRest(fleet: OpenFleet): Promise<void> {
  const snapshot = await readSnapshot(fleet);
  for (const line of toRest(snapshot)) console.log(line);
  const { limitNanoUsd, settledNanoUsd, reservedNanoUsd, uncertainNanoUsd } = snapshot.budget;
  if (limitNanoUsd === null || snapshot.halt !== null) return;
  const rest = limitNanoUsd - settledNanoUsd - reservedNanoUsd - uncertainNanoUsd;
  const tooLittle = describeTightBudget(fleet.inner.config, rest);
  if (tooLittle !== null)
    console.log(`⚠️  That is ${tooLittle}: the next one halts the fleet again; fleet budget USD gives it more`);
}

/** The fleet may have halted again at once; that halt then paused the paused queues. */
export function toRest({ halt, queues, budget }: Pick<StatusSnapshot, 'halt' | 'queues' | 'budget'>): string[] {
  const paused = queues.filter((queue) => queue.paused).map((queue) => queue.name);
  const again = halt === null ? [] : [`⛔ Halted again: ${describeHalt(halt)}; fleet status shows the ways out`];
  const left = paused.length === 0 || halt !== null ? [] : [`⚠️  Paused by a person and left so: ${paused.join(', ')}`];
  const { limitNanoUsd, settledNanoUsd, reservedNanoUsd, uncertainNanoUsd } = budget;
  if (limitNanoUsd === null) return [...again, ...left];
  const rest = Math.max(0, limitNanoUsd - settledNanoUsd - reservedNanoUsd - uncertainNanoUsd);
  return [...again, ...left, `Budget:  ${formatUsd(rest, 4)} of ${formatUsd(limitNanoUsd, 4)} left today`];
}
