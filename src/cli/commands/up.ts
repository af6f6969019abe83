import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { formatUsd } from '../../pricing/money.ts';
import type { ProcessProblem } from '../../pm2/wait-until-ready.ts';
import { bringUp } from '../../pm2/up.ts';
import { redisAddress } from '../../redis/connect.ts';
import { printJson } from '../output/print.ts';

export function registerUp(program: Command): void {
  program
    .command('up')
    .description('start the fleet: dashboard and workers, through pm2; what runs already stays as it is')
    .option('--haiku <count>', 'Haiku processes (default: FLEET_HAIKU_PROCESSES)', toCount('--haiku'))
    .option('--librarians <count>', 'librarian processes (default: FLEET_LIBRARIAN_PROCESSES)', toCount('--librarians'))
    .option('--embedded', 'use a Redis of the fleet’s own from now on')
    .option('--no-embedded', 'use the Redis of REDIS_URL again')
    .option('--json', 'for programs')
    .addHelpText('after', PM2_LINES)
    .action(async (options: { haiku?: number; librarians?: number; embedded?: boolean; json?: boolean }) => {
      const report = await bringUp(process.env, options);
      if (report.problems.length > 0) process.exitCode = 1;
      if (options.json) return printJson(report);
      for (const warning of report.warnings) console.log(`⚠️  ${warning}`);
      for (const problem of report.problems) printProblem(problem);
      const counts = Object.entries(report.ready).map(([name, count]) => `${count} × ${name}`);
      console.log(`Running:    ${counts.length === 0 ? 'nothing' : counts.join(', ')}`);
      console.log(`Redis:      ${redisAddress(report.redisUrl)}`);
      if (report.problems.length === 0) {
        console.log(`Dashboard:  ${report.dashboardUrl}`);
        console.log(`Budget:     ${formatUsd(report.budgetNanoUsd, 4)} a day (fleet budget USD changes it)`);
      }
    });
}

/** What pm2 itself is good for, with the fleet's names. */
const PM2_LINES = `
pm2's own commands for the same processes (the namespace is the swarm, "fleet" by default):
  npx pm2 ls                     list them
  npx pm2 logs fleet-haiku       follow a log
  npx pm2 monit                  processor and memory of each`;

/** Why a process is not there, in the words of its own error output. */
export function printProblem({ name, exitCode, triedAgain, lines }: ProcessProblem): void {
  const how = exitCode === null ? 'is not ready' : `ended with exit code ${exitCode}`;
  console.error(`❌ ${name} ${how}${triedAgain ? '; pm2 tries again' : ''}`);
  for (const line of lines) console.error(`   ${line}`);
}

function toCount(option: string): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (Number.isInteger(count) && count >= 1 && count <= 64) return count;
    throw new UsageError(`${option}: expected 1..64, got ${JSON.stringify(text)}`);
  };
}
