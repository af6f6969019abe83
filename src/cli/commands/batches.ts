import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

export function registerBatches(program: Command): void {
  program
    .command('batches')
    .description('batches that run, and those of the last day: progress, rate, time left, money')
    .option('--all', 'older ones, too')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet batches --all')
    .action(async (options: { all?: boolean; json?: boolean }) =>
      (await import('./run/batches.ts')).runBatchesCommand(options),
    );
}
