import type { Command } from 'commander';
import type { MonitorOptions } from './run/monitor.ts';

export function registerMonitor(program: Command): void {
  program
    .command('monitor')
    .description('each message on the fleet’s channels as it comes, until Ctrl-C')
    .option('--batch <name>', 'only what belongs to this batch')
    .option('--json', 'one line of JSON each, for programs')
    .addHelpText('after', '\nExample:\n  fleet monitor --batch nightly')
    .action(async (options: MonitorOptions) => (await import('./run/monitor.ts')).runMonitorCommand(options));
}
