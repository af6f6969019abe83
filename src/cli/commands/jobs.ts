import type { Command } from 'commander';
import { JOBS_SHOWN, jsonOption, toCount } from '../input/options.ts';
import type { JobsOptions } from './run/jobs.ts';

export function registerJobs(program: Command): void {
  program
    .command('jobs')
    .description(
      'find any task, question or mission, in any state: by words of its text, by state, by what it belongs to',
    )
    .argument('[words...]', 'all of these words are in its text or its id; "quoted words" as they are')
    .option('--state <states>', 'running, waiting, delayed, parked, failed, cancelled or done; several: failed,parked')
    .option('--reason <word>', 'why it failed, waits or is parked: schema, timeout, money, model, budget …')
    .option('--batch <name>', 'only of this batch')
    .option('--mission <id>', 'only this mission, its tasks and its questions')
    .option('--model <id>', 'only those that this model did, or that name it')
    .option('--worker <id>', 'only those that this process, or outside worker, had last')
    .option('--client <name>', 'only those that this client pays for')
    .option('--session <name>', 'only of this session')
    .option(
      '--since <time>',
      'only those that were added, taken or ended since then: 90m, 12h, 7d ago, a date or an ISO instant',
    )
    .option('--cost-above <usd>', 'only those that have cost more than this')
    .option('--limit <n>', `how many (default: ${JOBS_SHOWN})`, toCount(1, 10_000))
    .option('--cursor <word>', 'go on where a list ended, with the same filters')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  fleet jobs "rate limit"\n  fleet jobs --state failed,parked --since 12h\n  fleet jobs --batch nightly --cost-above 0.05 --json',
    )
    .action(async (words: string[], options: JobsOptions) =>
      (await import('./run/jobs.ts')).runJobsCommand(words, options),
    );
}
