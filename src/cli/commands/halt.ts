import type { Command } from 'commander';

export function registerHalt(program: Command): void {
  program
    .command('halt')
    .description('stop the whole fleet: running model calls end and are stored, everything else waits')
    .argument('<reason...>', 'why; shown wherever the halt is')
    .addHelpText(
      'after',
      '\nA halt that stands stays as it is, with its own reason; the command says which (exit 0: the fleet stands still).' +
        '\n\nExample:\n  fleet halt "prices look wrong"',
    )
    .action(async (words: string[]) => (await import('./run/halt.ts')).runHaltCommand(words));
}
