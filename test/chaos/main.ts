/**
 * Runs the whole fleet under faults and prints what came of it: kills of every kind of process and of Redis, lost answers,
 * full disks, wrong clocks, a strict provider. `npm run chaos [-- OPTIONS]`; exits 1 where a bar does not hold.
 */
import { toTable } from './checks/result.ts';
import { readOptions, USAGE, type ChaosOptions } from './options.ts';
import { runChaos } from './run-chaos.ts';

function takeOptions(): ChaosOptions {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`chaos: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const options = takeOptions();
const shownOptions = Object.entries(options).map(([name, value]) => `${name} ${value}`);
console.log(`chaos: ${shownOptions.join(', ')}`);
const rows = await runChaos(options, (line) => console.log(`  ${line}`));
const broken = rows.filter((row) => row.holds === false);
console.log(`\n${toTable(rows)}\n`);
console.log(
  broken.length === 0
    ? `all bars hold (seed ${options.seed})`
    : `${broken.length} bars are broken (seed ${options.seed})`,
);
process.exitCode = broken.length === 0 ? 0 : 1;
