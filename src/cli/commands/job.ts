import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { JobOptions } from './run/job.ts';

export function registerJob(program: Command): void {
  program
    .command('job')
    .description('what happened to one task, question or mission, and what it waits for')
    .argument('<id>', 'id of the job or of its finding')
    .option('--follow', 'go on until it has ended')
    .option('--forget', 'remove its record, and its transcript on this host; its job and its finding stay')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nA record is kept for FLEET_RUN_DAYS after its last entry. --json prints one line of JSON for the job, then one an entry.' +
        '\n\nExamples:\n  fleet job task-1a2b\n  fleet job mission-8f3a2c1d9e4b --follow',
    )
    .action(async (id: string, options: JobOptions) => (await import('./run/job.ts')).runJobCommand(id, options));
}
