import { countOf } from '../../../text/plural.ts';
import { UsageError } from '../../../errors.ts';
import { createHaltSwitch, describeHalt } from '../../../halt/halt.ts';
import type { Halt } from '../../../halt/types.ts';
import { resumeMission } from '../../../coordinator/control/resume.ts';
import type { MissionDecision } from '../../../coordinator/mission/review-types.ts';
import { formatUsd } from '../../../pricing/money.ts';
import { createNotifier } from '../../../swarm/notify.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import type { StatusSnapshot } from '../../../status/types.ts';
import { describeTightForWorkers } from '../../output/warnings.ts';
import { printJson } from '../../output/print.ts';
import { currentUser } from '../../../swarm/current-user.ts';
import { readTextFile } from '../../input/files.ts';
import { withFleet, readSnapshot } from '../../input/with-fleet.ts';

export interface ResumeOptions {
  retry?: boolean;
  skipGemini?: boolean;
  acceptShards?: boolean;
  answer?: string;
  answerFile?: string;
  json?: boolean;
}

/** Does `fleet resume`. */
export async function runResumeCommand(mission: string | undefined, options: ResumeOptions): Promise<void> {
  const choice = toChoice(mission, options);
  const answer = toAnswer(mission, choice, options);
  await withFleet(
    (fleet) => {
      if (mission === undefined) return liftHalt(fleet, options);
      return answer === null ? resumeOne(fleet, mission, choice, options) : answerOne(fleet, mission, answer, options);
    },
    {
      writesWhenFull: true, // a person who made room elsewhere may still be at the limit
    },
  );
}

/** @returns null: no answer was given */
function toAnswer(
  mission: string | undefined,
  choice: MissionDecision | null,
  { answer, answerFile }: ResumeOptions,
): string | null {
  if (answer === undefined && answerFile === undefined) return null;
  if (mission === undefined) {
    throw new UsageError('resume: --answer is for one mission: fleet resume MISSION --answer "…"');
  }
  if (choice !== null && choice !== 'retry') {
    throw new UsageError(`resume: expected one choice, got --${choice} and --answer`);
  }
  if (answer !== undefined && answerFile !== undefined) {
    throw new UsageError('resume: expected one answer, got --answer and --answer-file');
  }
  if (answer !== undefined && answer !== '-') return answer;
  return readTextFile('--answer', answerFile ?? '-').text;
}

async function answerOne(fleet: OpenFleet, mission: string, answer: string, { json }: ResumeOptions): Promise<void> {
  const answered = await fleet.missions.answer(mission, answer);
  if (json) return printJson(answered);
  const { n, again, retried, waivesQuorum, released } = answered;
  const stored = again ? `has the answer already (person-${n})` : `has the answer as person-${n}`;
  console.log(`Mission ${mission} ${stored} and goes on.`);
  if (retried.length > 0) console.log(`Retried with the answer: ${retried.join(', ')}`);
  if (waivesQuorum) console.log('It goes on with the tasks that are done, though they are fewer than its quorum.');
  if (released > 0) console.log(`Released: ${countOf(released, 'job')}, waiting for a worker again`);
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

async function liftHalt(fleet: OpenFleet, { json }: ResumeOptions): Promise<void> {
  const { db, config, queues } = fleet.inner;
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
  const lifted = await createHaltSwitch(db, Object.values(queues), { notifier }).resume(currentUser());
  await notifier.flush();
  if (json) return printJson({ lifted, ...(await readRest(fleet)) });
  console.log(describeLifted(lifted));
  await describeRest(fleet);
}

async function resumeOne(
  fleet: OpenFleet,
  mission: string,
  choice: MissionDecision | null,
  { json }: ResumeOptions,
): Promise<void> {
  const { db, config, queues } = fleet.inner;
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
  const halt = createHaltSwitch(db, Object.values(queues), { notifier });
  const before = await halt.read();
  const resumed = await resumeMission({ db, queues, halt, notifier }, mission, choice, currentUser());
  await notifier.flush();
  if (json) {
    const lifted = resumed.liftedHalt ? before : null;
    return printJson({ mission, said: resumed.said, released: resumed.released, lifted, ...(await readRest(fleet)) });
  }
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

/** For programs: what is still halted or paused. */
async function readRest(fleet: OpenFleet): Promise<{ halt: Halt | null; paused: string[] }> {
  const { halt, queues } = await readSnapshot(fleet);
  return { halt, paused: queues.filter((queue) => queue.paused).map((queue) => queue.name) };
}

/** Prints what is still halted or paused, and what is left of the day's budget. */
async function describeRest(fleet: OpenFleet): Promise<void> {
  const snapshot = await readSnapshot(fleet);
  for (const line of toRest(snapshot)) console.log(line);
  const { limitNanoUsd, settledNanoUsd, reservedNanoUsd, uncertainNanoUsd } = snapshot.budget;
  if (limitNanoUsd === null || snapshot.halt !== null) return;
  const rest = limitNanoUsd - settledNanoUsd - reservedNanoUsd - uncertainNanoUsd;
  const tooLittle = await describeTightForWorkers(fleet, rest);
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
