import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { CancelOptions } from './run/cancel.ts';

export function registerCancel(program: Command): void {
  program
    .command('cancel')
    .description('end tasks, also running ones and on other machines; they fail as cancelled and can be retried')
    .argument('[ids...]', 'job ids')
    .option('--batch <name>', 'every task of this batch that has not ended')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  fleet cancel task-1a2b\n  fleet cancel --batch nightly')
    .action(async (ids: string[], options: CancelOptions) =>
      (await import('./run/cancel.ts')).runCancelCommand(ids, options),
    );
}
