import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { FailCommandOptions } from './run/fail.ts';

export function registerFail(program: Command): void {
  program
    .command('fail')
    .description('for outside workers: fail a claimed task that cannot be done')
    .argument('<task>', 'id of the claimed task')
    .requiredOption('--lease <token>', 'as the claim printed it')
    .requiredOption('--why <text>', 'the reason, for the person who repairs it')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet fail task-1a2b --lease "$LEASE" --why "docs/a.md does not exist"')
    .action(async (task: string, options: FailCommandOptions) =>
      (await import('./run/fail.ts')).runFailCommand(task, options),
    );
}
