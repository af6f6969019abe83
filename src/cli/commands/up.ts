import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';

export function registerUp(program: Command): void {
  program
    .command('up')
    .description('start the fleet: dashboard and workers, through pm2; what runs already stays as it is')
    .option('--haiku <count>', 'Haiku processes (default: FLEET_HAIKU_PROCESSES)', toProcessCount('--haiku'))
    .option(
      '--librarians <count>',
      'librarian processes (default: FLEET_LIBRARIAN_PROCESSES)',
      toProcessCount('--librarians'),
    )
    .option('--embedded', 'use a Redis of the fleet’s own from now on')
    .option('--no-embedded', 'use the Redis of REDIS_URL again')
    .option('--json', 'for programs')
    .addHelpText('after', PM2_LINES)
    .action(async (options: { haiku?: number; librarians?: number; embedded?: boolean; json?: boolean }) =>
      (await import('./run/up.ts')).runUpCommand(options),
    );
}

/** Useful commands of pm2, with the fleet's names. */
const PM2_LINES = `
pm2's own commands for the same processes (the namespace is the swarm, "fleet" by default):
  npx pm2 ls                     list them
  npx pm2 logs fleet-haiku       follow a log
  npx pm2 monit                  processor and memory of each`;

function toProcessCount(option: string): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (Number.isInteger(count) && count >= 1 && count <= 64) return count;
    throw new UsageError(`${option}: expected 1..64, got ${JSON.stringify(text)}`);
  };
}
