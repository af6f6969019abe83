import type { Command } from 'commander';

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('everything at once on simulated models: own Redis, workers, dashboard, a mission over a real folder')
    .argument('[folder]', 'what the tasks read (default: the fleet’s own source); nothing in it is changed')
    .option('--keep', 'leave all of it up')
    .action(async (folder: string | undefined, options: { keep?: boolean }) =>
      (await import('./run/demo.ts')).runDemoCommand(folder, options),
    );
}
