import type { Command } from 'commander';
import { jsonOption, toUsd } from '../input/options.ts';
import { addTaskOptions } from './task.ts';
import type { SingleCommandOptions } from './run/single.ts';

export function registerSingle(program: Command): void {
  addTaskOptions(
    program
      .command('single')
      .description('do one task here and now, without queue and workers; same budgets, same findings')
      .option('--task <description>', 'what is to be done')
      .option(
        '--worker-id <id>',
        'name under which it is done and booked; default: FLEET_WORKER_ID, else a free one of this host',
      ),
  )
    .option('--budget <usd>', 'own budget of the task', toUsd)
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet single --task "How many lines has README.md?" --workspace site')
    .action(async (options: SingleCommandOptions) => (await import('./run/single.ts')).runSingleCommand(options));
}
