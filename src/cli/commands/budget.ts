import { InvalidArgumentError, type Command } from 'commander';
import { jsonOption, toUsd } from '../input/options.ts';
import type { BudgetOptions } from './run/budget.ts';
import type { VerdictWord } from '../../coordinator/control/settle-calls.ts';

export function registerBudget(program: Command): void {
  program
    .command('budget')
    .description(
      "show or set a budget: the day's, or the own one of a client, mission, batch, rule or task; spend never passes it",
    )
    .argument('[usd]', 'dollars; without: show; paid or unpaid with --settle-uncertain', toAmount)
    .option('--client <name>', 'of all work of this client (fleet token); reaching it parks its jobs')
    .option('--batch <name>', 'of this batch; reaching it parks its jobs')
    .option('--mission <id>', 'of this mission with all its tasks, questions and its own calls; reaching it parks them')
    .option('--rule <name>', 'of all that this rule starts (fleet when); reaching it parks it')
    .option('--task <id>', 'of this task')
    .option('--settle-uncertain [call]', 'say what an uncertain call cost: its worst case (paid), or nothing (unpaid)')
    .option('--all', 'with --settle-uncertain: all of them')
    .option('--why <text>', 'with --settle-uncertain: how you know; kept in the ledger and in the job’s log')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nThe day’s budget halts the fleet: raise it, then fleet resume. Raising any other releases what it parked.' +
        '\nfleet costs --uncertain lists the uncertain calls.' +
        '\n\nExamples:\n  fleet budget 20\n  fleet budget 3.50 --batch nightly\n  fleet budget 10 --client alice\n  fleet budget 2 --mission mission-8f3a2c1d9e4b' +
        '\n  fleet budget --settle-uncertain --all unpaid --why "the console shows no calls at that time"',
    )
    .action(async (amount: number | VerdictWord | undefined, options: BudgetOptions) =>
      (await import('./run/budget.ts')).runBudgetCommand(amount, options),
    );
}

function toAmount(text: string): number | VerdictWord {
  if (text === 'paid' || text === 'unpaid') return text;
  try {
    return toUsd(text);
  } catch (error) {
    if (error instanceof InvalidArgumentError)
      throw new InvalidArgumentError('Expected dollars, 0..1000000, or paid or unpaid.');
    throw error;
  }
}
