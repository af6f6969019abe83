import { Argument, type Command } from 'commander';
import type { Shell } from './run/completion.ts';

export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print the script that lets Tab complete commands, options and choices')
    .addArgument(new Argument('<shell>', 'the shell that reads it').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
Examples:
  echo 'source <(fleet completion bash)' >> ~/.bashrc
  echo 'source <(fleet completion zsh)' >> ~/.zshrc
  fleet completion fish > ~/.config/fish/completions/fleet.fish`,
    )
    .action(async (shell: Shell) => (await import('./run/completion.ts')).runCompletionCommand(program, shell));
}
