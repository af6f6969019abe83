import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

export function registerHalt(program: Command): void {
  program
    .command('halt')
    .description('stop the whole fleet: running model calls end and are stored, everything else waits')
    .argument('<reason...>', 'why; shown wherever the halt is')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nIf the fleet is halted already, that halt keeps its reason; the command prints it and exits 0.' +
        '\n\nExample:\n  fleet halt "prices look wrong"',
    )
    .action(async (words: string[], options: { json?: boolean }) =>
      (await import('./run/halt.ts')).runHaltCommand(words, options),
    );
}
