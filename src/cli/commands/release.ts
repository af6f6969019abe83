import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { ReleaseCommandOptions } from './run/release.ts';

export function registerRelease(program: Command): void {
  program
    .command('release')
    .description('for outside workers: give a claimed task back; it is offered again')
    .argument('<task>', 'id of the claimed task')
    .requiredOption('--lease <token>', 'as the claim printed it')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet release task-1a2b --lease "$LEASE"')
    .action(async (task: string, options: ReleaseCommandOptions) =>
      (await import('./run/release.ts')).runReleaseCommand(task, options),
    );
}
