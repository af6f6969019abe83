import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import { addTaskOptions } from './task.ts';
import type { RouteCommandOptions } from './run/route.ts';

export function registerRoute(program: Command): void {
  addTaskOptions(
    program
      .command('route')
      .argument('<description>')
      .description('which model would do a task; asks and adds nothing'),
  )
    .option('--explain', 'also say which routes and models were passed over, and why')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  fleet route "Summarise lib" --kind docs\n  fleet route "…" --workspace site --explain',
    )
    .action(async (description: string, options: RouteCommandOptions) =>
      (await import('./run/route.ts')).runRouteCommand(description, options),
    );
}
