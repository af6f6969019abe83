import { Option, type Command } from 'commander';
import { REPORT_DIMENSIONS } from '../../ledger/report/types.ts';
import { jsonOption } from '../input/options.ts';
import type { CostsOptions } from './run/costs.ts';

/** Options that only the report takes: they would be ignored by what comes instead of it. */
const OF_THE_REPORT = ['by', ...REPORT_DIMENSIONS];

export function registerCosts(program: Command): void {
  const command = program
    .command('costs')
    .description('what was spent, beside what the same tokens would have cost on Sonnet')
    .addOption(new Option('--by <dimension>', 'one line for each').choices([...REPORT_DIMENSIONS]).default('session'));
  for (const dimension of REPORT_DIMENSIONS) command.option(`--${dimension} <name>`, `only this ${dimension}`);
  command
    .addOption(
      new Option('--uncertain', 'instead: the calls of uncertain cost, one line for each').conflicts(OF_THE_REPORT),
    )
    .addOption(
      new Option(
        '--reconcile <day>',
        'instead: compare Anthropic’s usage report of a UTC day with the ledger, and settle the uncertain calls that it explains; needs ANTHROPIC_ADMIN_KEY',
      ).conflicts(['uncertain', ...OF_THE_REPORT]),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  fleet costs --by model --session 2026-11-21\n  fleet costs --uncertain\n  fleet costs --reconcile 2026-11-21',
    )
    .action(async (options: CostsOptions) => (await import('./run/costs.ts')).runCostsCommand(options));
}
