import { Option, type Command } from 'commander';
import { TASK_KINDS } from '../../../queues/kinds.ts';
import { jsonOption, toSeconds } from '../input/options.ts';
import type { ClaimCommandOptions } from './run/claim.ts';

export function registerClaim(program: Command): void {
  program
    .command('claim')
    .description('for outside workers: take a task that waits for one, under a lease')
    .argument('[task]', 'only this task; default: the one that was offered first')
    .requiredOption('--as <name>', 'name of the worker; its findings and the status show it')
    .option('--lease <seconds>', 'how long it holds the task without fleet renew (default: 300)', toSeconds)
    .addOption(new Option('--kind <kind>', 'only tasks of this kind').choices([...TASK_KINDS]))
    .option('--batch <name>', 'only tasks of this batch')
    .option('--shard <name>', 'only tasks of this memory shard')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet claim --as my-agent --lease 600 --json')
    .action(async (task: string | undefined, options: ClaimCommandOptions) =>
      (await import('./run/claim.ts')).runClaimCommand(task, options),
    );
}
