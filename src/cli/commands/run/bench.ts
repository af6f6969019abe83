import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine, renderReport, toMarkdown, type BenchReport } from '../../measure/report.ts';
import { measureRedis } from '../../measure/redis.ts';
import { measureSpawn } from '../../measure/spawn.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';
import { writeAtomically } from '../../output/atomic-write.ts';

export interface BenchOptions {
  rounds?: number;
  save?: string | true;
  json?: boolean;
}

const ROUNDS = { redis: 2_000, spawn: 100 };
const SAVE_FOLDER = join('docs', 'benchmarks');
/** The exit code of a process that Ctrl-C ended. */
const INTERRUPTED = 130;

/** Does `fleet bench`. */
export async function runBenchCommand(what: BenchReport['name'], options: BenchOptions): Promise<void> {
  const rounds = options.rounds ?? ROUNDS[what];
  const report = what === 'redis' ? await benchRedis(rounds) : await benchSpawn(rounds);
  if (options.json) printJson(report);
  else console.log(renderReport(report));
  if (options.save === undefined) return;
  const folder = options.save === true ? SAVE_FOLDER : options.save;
  const path = join(folder, `${what}.md`);
  mkdirSync(folder, { recursive: true });
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
