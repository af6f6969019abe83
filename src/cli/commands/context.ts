import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

export function registerContext(program: Command): void {
  const context = program
    .command('context')
    .description('named documents that tasks can ask for; sent with the task, whole or not at all')
    .addHelpText(
      'after',
      '\nExample:\n  fleet context load session-history NOTES.md\n  fleet task "…" --context session-history',
    );
  context
    .command('load')
    .description('store a document under a name, in place of what was there')
    .argument('<name>')
    .argument('<file>', '- reads the standard input')
    .addHelpText('after', '\nExample:\n  fleet context load session-history NOTES.md')
    .action(async (name: string, file: string) => (await import('./run/context.ts')).runContextLoadCommand(name, file));
  context
    .command('ls')
    .description('the documents there are')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet context ls')
    .action(async (options: { json?: boolean }) => (await import('./run/context.ts')).runContextListCommand(options));
  context
    .command('rm')
    .description('forget a document; tasks that ask for it fail until it is there again')
    .argument('<name>')
    .addHelpText('after', '\nExample:\n  fleet context rm session-history')
    .action(async (name: string) => (await import('./run/context.ts')).runContextRemoveCommand(name));
}
