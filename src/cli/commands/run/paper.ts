import { readMissionHead } from '../../../coordinator/mission/record.ts';
import { readPaper } from '../../../coordinator/paper/record.ts';
import { NotFoundError, UsageError } from '../../../errors.ts';
import { createHaltSwitch } from '../../../halt/halt.ts';
import { resumeMission } from '../../../coordinator/control/resume.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { choicesOf } from '../../../status/render/halt-choices.ts';
import { EXIT } from '../../output/exit-codes.ts';
import type { PaperEnd } from '../../follow/paper.ts';
import { withInterrupt } from '../../interrupt.ts';
import { thisPerson } from '../../current-user.ts';
import { printJson, withoutControls } from '../../output/print.ts';
import { warnOfTightMission } from '../../warn-of-tight-mission.ts';
import { warnWithoutWriters } from '../../warn-without-writers.ts';
import { withFleet } from '../../with-fleet.ts';
import { assertWritable, writeWhole } from '../../output/atomic-write.ts';
import { readJob } from '../../../jobs/state/states.ts';

export interface PaperOptions {
  out?: string;
  resume?: string;
  session?: string;
  budget?: number;
  acceptShards?: boolean;
  missionId?: string;
  wait: boolean;
  json?: boolean;
}

/** Does `fleet paper`. */
export async function runPaperCommand(goal: string | undefined, options: PaperOptions): Promise<void> {
  checkUse(goal, options);
  if (options.out !== undefined) await assertWritable(options.out); // before anything is paid
  await withFleet(async (fleet) => {
    const id = options.resume ?? (await begin(fleet, goal ?? '', options));
    if (options.resume !== undefined) await goOn(fleet, id, options);
    if (!options.wait) return sayBegun(id, options);
    const again = `fleet paper --resume ${id} --out ${options.out ?? 'FILE'}`;
    await withInterrupt(`Interrupted. The paper goes on; ${again} waits for it again.`, () =>
      waitFor(fleet, id, options),
    );
  });
}

/** @throws UsageError */
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

/** @returns its id */
async function begin(fleet: OpenFleet, goal: string, options: PaperOptions): Promise<string> {
  const { session, budget, acceptShards, missionId, json } = options;
  await warnWithoutWriters(fleet);
  const paper = {
    ...(acceptShards === true ? { accept_shards: true } : {}),
    ...(session === undefined ? {} : { session }),
  };
  const input = { goal, paper, ...(budget === undefined ? {} : { budget_usd: budget }) };
  const { id, added, state } = await fleet.missions.add(input, missionId === undefined ? {} : { missionId });
  if (added) await warnOfTightMission(fleet.inner.config, input, id);
  if (json !== true)
    console.error(added ? `Paper ${id} begins` : `${id} is there already: ${state}; nothing was begun`);
  return id;
}

/** Lets go on what waits for a person. A paper that is written, or runs, needs nothing. */
async function goOn(fleet: OpenFleet, id: string, options: PaperOptions): Promise<void> {
  const { db, queues } = fleet.inner;
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
  await warnWithoutWriters(fleet);
  if ((await readJob(db, queues.missions.name, id)).state === 'failed') {
    const known = { workspaces: null, contexts: new Set<string>() };
    const { retryJob } = await import('../../../tasks/repair/retry.ts');
    await retryJob({ db, queue: queues.missions }, id, { by: thisPerson(), known });
    return say(options, `Paper ${id} has failed and is tried again`);
  }
  const halt = createHaltSwitch(db, Object.values(queues));
  const stands = mission?.state === 'asks' || mission?.state === 'parked' || (paper !== null && paper.stop !== null);
  if (!stands) return;
  const choice = options.acceptShards === true ? 'accept-shards' : 'retry';
  const resumed = await resumeMission({ db, queues, halt }, id, choice, thisPerson());
  say(options, `Paper ${id} goes on${resumed.said === null ? '' : `: ${resumed.said}`}`);
  if (resumed.liftedHalt) say(options, 'The halt it caused is lifted');
}

async function waitFor(fleet: OpenFleet, id: string, options: PaperOptions): Promise<void> {
  const { followPaper } = await import('../../follow/paper.ts');
  const end = await followPaper(fleet, id, (line) => say(options, withoutControls(line)));
  if (end.state !== 'done') {
    process.exitCode = end.state === 'halted' ? EXIT.halted : EXIT.failed;
    if (options.json === true) return printJson({ id, ...end });
    return sayStanding(id, end);
  }
  const { out } = options;
  if (out !== undefined) await writeWhole(out, (write) => write(end.text), { keep: true });
  const finding = (await readMissionHead(fleet.inner.db, id))?.finding ?? null;
  if (options.json === true) return printJson({ id, state: 'done', finding_id: finding, file: out ?? null });
  if (out === undefined) console.log(`✅ Paper ${id} is written: fleet paper --resume ${id} --out FILE`);
  else console.log(`✅ ${out}`);
  if (finding !== null) console.log(`   fleet findings ${finding}`);
}

function sayStanding(id: string, end: Exclude<PaperEnd, { state: 'done' }>): void {
  if (end.state === 'halted') {
    const { reason, step, detail } = end.halt;
    console.error(
      `⛔ Halted: ${reason}${step === '' ? '' : ` at ${step}`}${detail === '' ? '' : `: ${withoutControls(detail)}`}`,
    );
    for (const choice of choicesOf(end.halt)) console.error(`  ➜ ${choice.what}: ${choice.command}`);
  } else if (end.state === 'failed') console.error(`❌ Paper ${id} has failed: ${withoutControls(end.problem)}`);
  else
    console.error(
      `✋ Paper ${id} ${end.state === 'asks' ? 'waits for you' : 'is parked'}: ${withoutControls(end.problem)}`,
    );
  console.error(`   Its drafts: fleet paper show ${id}`);
}

function sayBegun(id: string, options: PaperOptions): void {
  if (options.json === true) return printJson({ id });
  console.log(`Begun: fleet paper --resume ${id} --out FILE waits for it and writes the file`);
}

/** Progress is no result: programs that read the output must not meet it. */
function say({ json }: PaperOptions, line: string): void {
  if (json !== true) console.error(line);
}
