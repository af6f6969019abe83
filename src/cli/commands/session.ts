import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

export function registerSession(program: Command): void {
  program
    .command('session')
    .description(
      'start a session: tasks enqueued from now on carry its name, costs count from zero; without NAME: show it',
    )
    .argument('[name]', 'such as instance-11; default: the date')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet session instance-11')
    .action(async (name: string | undefined, options: { json?: boolean }) =>
      (await import('./run/session.ts')).runSessionCommand(name, options),
    );
}
