import type { Command } from 'commander';
import { jsonOption, toSeconds } from '../input/options.ts';
import type { RenewCommandOptions } from './run/renew.ts';

export function registerRenew(program: Command): void {
  program
    .command('renew')
    .description('for outside workers: hold a claimed task longer')
    .argument('<task>', 'id of the claimed task')
    .requiredOption('--lease <token>', 'as the claim printed it')
    .option('--for <seconds>', 'from now (default: 300)', toSeconds)
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet renew task-1a2b --lease "$LEASE" --for 600')
    .action(async (task: string, options: RenewCommandOptions) =>
      (await import('./run/renew.ts')).runRenewCommand(task, options),
    );
}
