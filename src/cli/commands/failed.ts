import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

export function registerFailed(program: Command): void {
  program
    .command('failed')
    .description('failed tasks and questions by reason, the newest of each, and the line that repairs them')
    .option('--batch <name>', 'of this batch only')
    .option('--session <name>', 'of this session only')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet failed --batch nightly')
    .action(async (options: { batch?: string; session?: string; json?: boolean }) =>
      (await import('./run/failed.ts')).runFailedCommand(options),
    );
}
