import type { Command } from 'commander';
import { loadConfig } from '../../config.ts';
import { bringDown } from '../../processes/down.ts';

export function registerDown(program: Command): void {
  program
    .command('down')
    .description('end the processes of this swarm: running model calls end and are stored, jobs go back to waiting')
    .option('--now', 'leave them 5 seconds')
    .action(async (options: { now?: boolean }) => {
      const count = await bringDown(loadConfig(process.env), { now: options.now ?? false });
      console.log(
        count === 0
          ? 'Nothing was running.'
          : `Ended ${count} ${count === 1 ? 'process' : 'processes'}; everything waiting stays in Redis.`,
      );
    });
}
