import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

/** Registers `fleet paper show`. */
export function registerPaperShow(paper: Command): void {
  paper
    .command('show')
    .description('a paper as far as it is: the whole text, or its drafts and where it is blocked')
    .argument('<mission>', 'its id')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet paper show mission-8f3a2c1d9e4b')
    .action(
      async (id: string, _own: object, command: Command) =>
        (await import('./run/paper-show.ts')).runPaperShowCommand(id, command.optsWithGlobals()), // commander gives --json to the parent command `paper`
    );
}
