import { join } from 'node:path';
import { describeMachine, renderReport, toMarkdown, type BenchReport } from '../../measure/report.ts';
import { measureRedis } from '../../measure/redis.ts';
import { measureSpawn } from '../../measure/spawn.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';
import { makeFolder } from '../../../files/make-folder.ts';
import { writeAtomically } from '../../../files/atomic-write.ts';

export interface BenchOptions {
  rounds?: number;
  save?: string;
  json?: boolean;
}

const ROUNDS = { redis: 2_000, spawn: 100 };
/** The exit code of a process that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Does `fleet bench`. */
export async function runBenchCommand(what: BenchReport['name'], options: BenchOptions): Promise<void> {
  const folder = options.save;
  if (folder !== undefined) await makeFolder(folder, { setting: '--save' }); // before it measures for long
  const rounds = options.rounds ?? ROUNDS[what];
  const report = what === 'redis' ? await benchRedis(rounds) : await benchSpawn(rounds);
  if (options.json) printJson(report);
  else console.log(renderReport(report));
  if (folder === undefined) return;
  const path = join(folder, `${what}.md`);
  await writeAtomically(path, (write) => write(toMarkdown(report)));
  if (!options.json) console.log(`\nSaved in ${path}`);
}

function benchRedis(rounds: number): Promise<BenchReport> {
  return withFleet(async ({ inner }) => {
    const { redis, clock } = inner.db;
    const at = clock.date().toISOString();
    return { name: 'redis', at, machine: await describeMachine(redis), measured: await measureRedis(inner.db, rounds) };
  });
}

async function benchSpawn(rounds: number): Promise<BenchReport> {
  let stop = async (): Promise<void> => {};
  const onSignal = (): void => void stop().finally(() => process.exit(INTERRUPTED));
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    const measured = await measureSpawn(rounds, (end) => (stop = end));
    return { name: 'spawn', at: new Date().toISOString(), machine: await describeMachine(null), measured };
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
