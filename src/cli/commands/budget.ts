import type { Command } from 'commander';
import { jsonOption, toUsd } from '../input/options.ts';
import type { BudgetOptions } from './run/budget.ts';

export function registerBudget(program: Command): void {
  program
    .command('budget')
    .description("show or set a budget: the day's, or the own one of a mission, batch or task; spend never passes it")
    .argument('[usd]', 'dollars; without: show', toUsd)
    .option('--batch <name>', 'of this batch; reaching it parks its jobs')
    .option('--mission <id>', 'of this mission with all its tasks, questions and its own calls; reaching it parks them')
    .option('--task <id>', 'of this task')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nThe day’s budget halts the fleet: raise it, then fleet resume. Raising any other releases what it parked.' +
        '\n\nExamples:\n  fleet budget 20\n  fleet budget 3.50 --batch nightly\n  fleet budget 2 --mission mission-8f3a2c1d9e4b',
    )
    .action(async (usd: number | undefined, options: BudgetOptions) =>
      (await import('./run/budget.ts')).runBudgetCommand(usd, options),
    );
}
