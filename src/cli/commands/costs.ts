import { Option, type Command } from 'commander';
import { REPORT_DIMENSIONS } from '../../ledger/report/types.ts';
import { jsonOption } from '../input/options.ts';
import type { CostsOptions } from './run/costs.ts';

export function registerCosts(program: Command): void {
  const command = program
    .command('costs')
    .description('what was spent, beside what the same tokens would have cost on Sonnet')
    .addOption(new Option('--by <dimension>', 'one line for each').choices([...REPORT_DIMENSIONS]).default('session'));
  for (const dimension of REPORT_DIMENSIONS) command.option(`--${dimension} <name>`, `only this ${dimension}`);
  command
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet costs --by model --session 2026-11-21')
    .action(async (options: CostsOptions) => (await import('./run/costs.ts')).runCostsCommand(options));
}
