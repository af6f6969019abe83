import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

/** Registers `fleet findings retract`. */
export function registerRetract(findings: Command): void {
  findings
    .command('retract')
    .description('take a finding out of the archive: it stays readable, is marked, and no librarian is shown it again')
    .argument('<id>', 'finding id, without finding:')
    .requiredOption('--why <reason>', 'what is wrong with it; stays with the finding')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet findings retract finding_8f3a2c1d9e4b --why "measured the wrong host"')
    .action(
      async (given: string, _own: object, command: Command) =>
        (await import('./run/findings-retract.ts')).runFindingsRetractCommand(given, command.optsWithGlobals()), // commander gives --json to the parent command `findings`
    );
}
