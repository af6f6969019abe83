import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

export function registerPark(program: Command): void {
  program
    .command('park')
    .description('set one mission aside: calls under way end and are stored, its other tasks wait; the rest goes on')
    .argument('<mission>', 'its id; a halt that it caused is lifted')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet park mission-8f3a2c1d9e4b')
    .action(async (mission: string, options: { json?: boolean }) =>
      (await import('./run/park.ts')).runParkCommand(mission, options),
    );
}
