import { Argument, type Command } from 'commander';

export function registerPrompt(program: Command): void {
  program
    .command('prompt')
    .description('a starter prompt for an interactive Claude Code session that works with this fleet')
    .addArgument(new Argument('<role>', 'which side of the fleet the session is on').choices(['coordinator', 'worker']))
    .addHelpText('after', '\nExample:\n  claude "$(fleet prompt coordinator)"')
    .action(async (role: 'coordinator' | 'worker') => (await import('./run/prompt.ts')).runPromptCommand(role));
}
