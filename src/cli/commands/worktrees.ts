import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { WorktreesOptions } from './run/worktrees.ts';

export function registerWorktrees(program: Command): void {
  program
    .command('worktrees')
    .description('the working trees of isolated tasks on this host: task, state, size, age, and why one must stay')
    .option('--prune', 'remove those that hold nothing that is not in a commit; the others are named')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  fleet worktrees\n  fleet worktrees --prune')
    .action(async (options: WorktreesOptions) => (await import('./run/worktrees.ts')).runWorktreesCommand(options));
}
