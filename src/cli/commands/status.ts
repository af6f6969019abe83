import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { StatusCommandOptions } from './run/status.ts';

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('what the fleet knows, does and costs; exit 3 while it is halted')
    .option('--watch', 'redraw every 5 seconds until Ctrl-C')
    .option('--compact', 'one line')
    .option('--batch <name>', 'progress of one batch instead')
    .option('--shard <name>', 'what one memory shard holds and costs instead')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet status --compact')
    .action(async (options: StatusCommandOptions) => (await import('./run/status.ts')).runStatusCommand(options));
}
