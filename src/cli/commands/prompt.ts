import { Argument, type Command } from 'commander';
import { COORDINATOR_PROMPT, WORKER_PROMPT } from '../output/starter-prompts.ts';

export function registerPrompt(program: Command): void {
  program
    .command('prompt')
    .description('a starter prompt for an interactive Claude Code session that works with this fleet')
    .addArgument(new Argument('<role>', 'which side of the fleet the session is on').choices(['coordinator', 'worker']))
    .addHelpText('after', '\nExample:\n  claude "$(fleet prompt coordinator)"')
    .action((role: 'coordinator' | 'worker') =>
      console.log(role === 'coordinator' ? COORDINATOR_PROMPT : WORKER_PROMPT),
    );
}
