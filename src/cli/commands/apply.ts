import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { ApplyCommandOptions } from './run/apply.ts';

export function registerApply(program: Command): void {
  program
    .command('apply')
    .description('apply what isolated tasks changed, one commit each; what does not fit is named and left out')
    .argument('[ids...]', 'finding ids or task ids')
    .option('--batch <name>', 'all waiting patches of this batch')
    .option('--mission <id>', 'all waiting patches of this mission')
    .option('--check <command>', 'test each patch by this command line, in a tree of its own; red ones are left out')
    .option('--branch <name>', 'make the commits on this branch; your working tree stays as it is')
    .option('--3way', 'merge with the versions that the patch was made from, where HEAD has changed around it')
    .option('--pr', 'push the branch with your git and open a pull request with gh; only with FLEET_PR=1')
    .option('--dry-run', 'only list what would happen')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nA path with an uncommitted change of yours, and an untracked or ignored file, is never written over.\nExit codes: 0 all are applied, 1 some are not, 2 wrong use.\n\nExamples:\n  fleet apply finding_8f3a2c1d9e4b\n  fleet apply --batch first --check "npm test"\n  fleet apply --batch first --dry-run',
    )
    .action(async (ids: string[], options: ApplyCommandOptions) =>
      (await import('./run/apply.ts')).runApplyCommand(ids, options),
    );
}
