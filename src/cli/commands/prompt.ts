import { Argument, type Command } from 'commander';
import type { PromptOptions, PromptRole } from './run/prompt.ts';

export function registerPrompt(program: Command): void {
  program
    .command('prompt')
    .description('a starter prompt for a Claude session that works with this fleet; or the files for Claude Code')
    .addArgument(
      new Argument('[role]', 'side of the fleet that the session is on; ephemeral: a subagent for one task').choices([
        'coordinator',
        'worker',
        'ephemeral',
      ]),
    )
    .option(
      '--install',
      'write an agent, a skill and the command /fleet into .claude of this folder; a file of yours stays',
    )
    .option('--dry-run', 'with --install: print what would be written')
    .addHelpText('after', '\nExamples:\n  claude "$(fleet prompt coordinator)"\n  fleet prompt --install')
    .action(async (role: PromptRole | undefined, options: PromptOptions) =>
      (await import('./run/prompt.ts')).runPromptCommand(role, options),
    );
}
