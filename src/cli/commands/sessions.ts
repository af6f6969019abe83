import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

export function registerSessions(program: Command): void {
  program
    .command('sessions')
    .description('all sessions: their days, tasks, findings and cost')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet sessions')
    .action(async (options: { json?: boolean }) => (await import('./run/sessions.ts')).runSessionsCommand(options));
}
