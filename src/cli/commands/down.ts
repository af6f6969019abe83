import type { Command } from 'commander';

export function registerDown(program: Command): void {
  program
    .command('down')
    .description('end the processes of this swarm: running model calls end and are stored, jobs go back to waiting')
    .option('--now', 'leave them 5 seconds')
    .action(async (options: { now?: boolean }) => (await import('./run/down.ts')).runDownCommand(options));
}
