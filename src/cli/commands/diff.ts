import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { DiffOptions } from './run/diff.ts';

export function registerDiff(program: Command): void {
  program
    .command('diff')
    .description('what isolated tasks changed; without ids the patches that wait, one line each')
    .argument('[ids...]', 'finding ids or task ids')
    .option('--stat', 'only the files, with their counts of lines')
    .option('--batch <name>', 'the waiting patches of this batch')
    .option('--mission <id>', 'the waiting patches of this mission')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nInto a file or pipe the text goes as git wrote it: fleet diff ID | git apply\n\nExamples:\n  fleet diff\n  fleet diff finding_8f3a2c1d9e4b\n  fleet diff --batch first --stat',
    )
    .action(async (ids: string[], options: DiffOptions) =>
      (await import('./run/diff.ts')).runDiffCommand(ids, options),
    );
}
