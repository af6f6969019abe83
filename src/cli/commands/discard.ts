import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { DiscardOptions } from './run/discard.ts';

export function registerDiscard(program: Command): void {
  program
    .command('discard')
    .description('discard what isolated tasks changed: their working trees and branches go')
    .argument('[ids...]', 'finding ids or task ids; also of a failed task, whose tree is committed first')
    .option('--batch <name>', 'all waiting patches of this batch')
    .option('--mission <id>', 'all waiting patches of this mission')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nThe commits can be reached by their ids until git collects them, and the texts are kept for 7 days:\nfleet apply ID takes a discarded patch back.\n\nExamples:\n  fleet discard finding_8f3a2c1d9e4b\n  fleet discard --batch first',
    )
    .action(async (ids: string[], options: DiscardOptions) =>
      (await import('./run/discard.ts')).runDiscardCommand(ids, options),
    );
}
