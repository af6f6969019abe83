import { describeThere } from '../../follow/there-already.ts';
import { assertWaits, waitInTime } from '../../follow/wait-timeout.ts';
import { readMissionHead } from '../../../coordinator/mission/record.ts';
import { toShownState } from '../../../coordinator/mission/shown-state.ts';
import { readPaper } from '../../../coordinator/paper/record.ts';
import { describeEnd, NotFoundError, UsageError } from '../../../errors.ts';
import { createHaltSwitch } from '../../../halt/halt.ts';
import { resumeMission } from '../../../coordinator/control/resume.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { choicesOf } from '../../../status/render/halt-choices.ts';
import { EXIT } from '../../output/report-failure.ts';
import type { PaperEnd } from '../../follow/paper.ts';
import { printJson } from '../../output/print.ts';
import { warnOfTightMission, warnWithoutPaperProcesses } from '../../output/warnings.ts';
import { assertMeant } from '../../input/meant-words.ts';
import { currentUser } from '../../../swarm/current-user.ts';
import { withFleet, withInterrupt } from '../../input/with-fleet.ts';
import { assertWritable, writeAtomically } from '../../../files/atomic-write.ts';
import { readJob } from '../../../jobs/state/states.ts';
import { catalogOf } from '../../../pricing/catalog.ts';

export interface PaperOptions {
  out?: string;
  resume?: string;
  session?: string;
  budget?: number;
  acceptShards?: boolean;
  missionId?: string;
  wait: boolean;
  timeout?: number;
  json?: boolean;
}

/** Does `fleet paper`. */
export async function runPaperCommand(goal: string | undefined, options: PaperOptions): Promise<void> {
  checkUse(goal, options);
  assertWaits('paper', options.timeout, options.wait);
  if (goal !== undefined) {
    await assertMeant(goal, {
      command: 'paper',
      as: 'what the paper is about',
      effect: 'writing it is paid',
      instead: ['fleet mission ls', 'fleet paper show ID'],
    });
  }
  if (options.out !== undefined) await assertWritable(options.out); // before anything is paid
  await withFleet(async (fleet) => {
    const id = options.resume ?? (await begin(fleet, goal ?? '', options));
    if (options.resume !== undefined) await resumePaper(fleet, id, options);
    if (!options.wait) return printBegun(id, options);
    const again = `fleet paper --resume ${id} --out ${options.out ?? 'FILE'}`;
    await withInterrupt(`Interrupted. The paper goes on; ${again} waits for it again.`, () =>
      waitFor(fleet, id, options),
    );
  });
}

/** @throws UsageError for arguments that exclude each other, and for a missing one */
function checkUse(goal: string | undefined, { out, resume, wait, session, budget, missionId }: PaperOptions): void {
  if (resume === undefined) {
    if (goal === undefined || goal.trim() === '')
      throw new UsageError('paper: expected what it is about, or --resume MISSION');
    if (/^mission-\S*$/.test(goal)) {
      throw new UsageError(`paper: ${goal} is an id; fleet paper show ${goal}, or --resume ${goal}`);
    }
    if (out === undefined && wait) throw new UsageError('paper: expected --out FILE, or --no-wait');
    return;
  }
  if (goal !== undefined) throw new UsageError('paper: expected a goal or --resume, not both');
  if (!wait && out !== undefined) throw new UsageError('paper: --no-wait writes no file; leave out --out');
  const given = Object.entries({ '--session': session, '--budget': budget, '--mission-id': missionId });
  const wrong = given.flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (wrong.length > 0) throw new UsageError(`paper: ${wrong.join(', ')} is for a new paper, not for --resume`);
}

/** Enqueues the mission that writes the paper. @returns its id */
async function begin(fleet: OpenFleet, goal: string, options: PaperOptions): Promise<string> {
  const { session, budget, acceptShards, missionId, json } = options;
  await warnWithoutPaperProcesses(fleet);
  const paper = {
    ...(acceptShards === true ? { accept_shards: true } : {}),
    ...(session === undefined ? {} : { session }),
  };
  const input = { goal, paper, ...(budget === undefined ? {} : { budget_usd: budget }) };
  const { id, added, state } = await fleet.missions.add(input, missionId === undefined ? {} : { missionId });
  if (added) await warnOfTightMission(fleet.inner.config, input, id);
  const there = added ? '' : await describeThere(fleet.inner.db, 'missions', { id, state });
  if (json !== true) console.error(added ? `Paper ${id} begins` : `${there}; nothing was begun`);
  return id;
}

/** Resumes a paper that waits for a person, or retries one that failed. Does nothing for one that is written or runs. */
async function resumePaper(fleet: OpenFleet, id: string, options: PaperOptions): Promise<void> {
  const { db, queues, config } = fleet.inner;
  const [mission, paper, job] = await Promise.all([
    readMissionHead(db, id),
    readPaper(db, id),
    queues.missions.getJob(id),
  ]);
  if (mission === null && paper === null) throw new NotFoundError(`paper ${id}: there is none of this id`);
  if (paper === null && job !== undefined && Reflect.get(job.data as object, 'paper') === undefined) {
    throw new UsageError(`mission ${id}: writes no paper; fleet mission ${id} shows it`);
  }
  if (mission?.state === 'done') return;
  await warnWithoutPaperProcesses(fleet);
  if ((await readJob(db, queues.missions.name, id)).state === 'failed') {
    const known = { workspaces: null, contexts: new Set<string>(), catalog: catalogOf(config) };
    const { retryJob } = await import('../../../tasks/repair/retry.ts');
    const { noteRetries } = await import('../../../tasks/repair/note-retries.ts');
    await noteRetries(db, [await retryJob({ db, queue: queues.missions }, id, { by: currentUser(), known })]);
    const ended = mission !== null && toShownState(mission) === 'cancelled' ? 'was cancelled' : 'has failed';
    return printProgress(options, `Paper ${id} ${ended} and is tried again`);
  }
  const halt = createHaltSwitch(db, Object.values(queues));
  const isHeld = mission?.state === 'asks' || mission?.state === 'parked' || (paper !== null && paper.stop !== null);
  if (!isHeld) return;
  const choice = options.acceptShards === true ? 'accept-shards' : 'retry';
  const resumed = await resumeMission({ db, queues, halt }, id, choice, currentUser());
  printProgress(options, `Paper ${id} goes on${resumed.said === null ? '' : `: ${resumed.said}`}`);
  if (resumed.liftedHalt) printProgress(options, 'The halt it caused is lifted');
}

async function waitFor(fleet: OpenFleet, id: string, options: PaperOptions): Promise<void> {
  const { followPaper } = await import('../../follow/paper.ts');
  const { timeout } = options;
  const again = `fleet paper --resume ${id} --out ${options.out ?? 'FILE'} --timeout ${timeout}`;
  const end = await waitInTime({ timeout, again, id }, (say) =>
    followPaper(fleet, id, options.json === true ? () => undefined : say),
  );
  if (end.state !== 'done') {
    process.exitCode = end.state === 'halted' ? EXIT.halted : EXIT.failed;
    if (options.json === true) return printJson({ id, ...end });
    return printHeld(id, end);
  }
  const { out } = options;
  if (out !== undefined) await writeAtomically(out, (write) => write(end.text), { keep: true });
  const finding = (await readMissionHead(fleet.inner.db, id))?.finding ?? null;
  if (options.json === true) return printJson({ id, state: 'done', finding_id: finding, file: out ?? null });
  if (out === undefined) console.log(`✅ Paper ${id} is written: fleet paper --resume ${id} --out FILE`);
  else console.log(`✅ ${out}`);
  if (finding !== null) console.log(`   fleet findings ${finding}`);
}

/** Prints why the paper is not written, and what a person can do. */
function printHeld(id: string, end: Exclude<PaperEnd, { state: 'done' }>): void {
  if (end.state === 'halted') {
    const { reason, step, detail } = end.halt;
    console.error(`⛔ Halted: ${reason}${step === '' ? '' : ` at ${step}`}${detail === '' ? '' : `: ${detail}`}`);
    for (const choice of choicesOf(end.halt)) console.error(`  ➜ ${choice.what}: ${choice.command}`);
  } else if (end.state === 'failed') console.error(`❌ Paper ${id} has failed: ${end.problem}`);
  else if (end.state === 'cancelled')
    console.error(`⏹  Paper ${id} ${describeEnd(end.problem)}: fleet retry ${id} runs it after all`);
  else console.error(`✋ Paper ${id} ${end.state === 'asks' ? 'waits for you' : 'is parked'}: ${end.problem}`);
  console.error(`   Its drafts: fleet paper show ${id}`);
}

function printBegun(id: string, options: PaperOptions): void {
  if (options.json === true) return printJson({ id });
  console.log(`Begun: fleet paper --resume ${id} --out FILE waits for it and writes the file`);
}

/** Prints progress on the error output; with `--json` none. */
function printProgress({ json }: PaperOptions, line: string): void {
  if (json !== true) console.error(line);
}
