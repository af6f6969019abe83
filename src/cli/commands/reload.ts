import type { Command } from 'commander';

export function registerReload(program: Command): void {
  program
    .command('reload')
    .description('restart the processes of this swarm so that they read .env anew; half of the workers at a time')
    .action(async () => (await import('./run/reload.ts')).runReloadCommand());
}
