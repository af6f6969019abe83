import type { Command } from 'commander';
import type { MonitorOptions } from './run/monitor.ts';

export function registerMonitor(program: Command): void {
  program
    .command('monitor')
    .description('what happens in the swarm, as it happens, until Ctrl-C')
    .option('--since <time>', 'also what happened since then: 10m, 12h, 7d ago, a date or an ISO instant')
    .option('--no-follow', 'with --since: end when that is shown')
    .option('--what <kinds>', 'only these kinds: finding,failed,halt')
    .option('--batch <name>', 'only what belongs to this batch, and halts')
    .option('--mission <id>', 'only what belongs to this mission, and halts')
    .option('--worker <id>', 'only what this process, or person, did')
    .option('--json', 'one line of JSON each, for programs')
    .addHelpText(
      'after',
      '\nExamples:\n  fleet monitor --batch nightly\n  fleet monitor --since 10m --what failed,parked,halt\n  fleet monitor --since 1h --no-follow --json',
    )
    .action(async (options: MonitorOptions) => (await import('./run/monitor.ts')).runMonitorCommand(options));
}
