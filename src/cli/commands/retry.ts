import type { Command } from 'commander';
import { effortOption, jsonOption, toCount, toUsd } from '../input/options.ts';
import type { RetryCommandOptions } from './run/retry.ts';

export function registerRetry(program: Command): void {
  program
    .command('retry')
    .description('run failed tasks again, as they are or edited; an edit also runs one that a budget has parked')
    .argument('[ids...]', 'job ids; or choose by --batch and --reason')
    .option('--batch <name>', 'the failed tasks of this batch')
    .option('--reason <reason>', 'the tasks that failed for this reason (fleet failed)')
    .option('--description <text>', 'put this in place of the description')
    .option('--append <text>', 'add this to the description')
    .option('--data <file>', 'put this task (JSON) in place of it')
    .option('--model <id>', 'on another model')
    .option('--max-turns <n>', 'with so many model calls at most', toCount(1, 200))
    .addOption(effortOption())
    .option('--budget <usd>', 'own budget of the task, what it has cost counted', toUsd)
    .option('--first <n>', 'only the n that failed first', toCount(1, 1_000_000))
    .option('--fresh', 'use no stored turns; what they cost stays booked')
    .option('--dry-run', 'check, say what would happen, change nothing')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  fleet retry --reason provider-unavailable\n  fleet retry task-1a2b --append "The file is docs/a.md"',
    )
    .action(async (ids: string[], options: RetryCommandOptions) =>
      (await import('./run/retry.ts')).runRetryCommand(ids, options),
    );
}
