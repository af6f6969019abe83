import type { Command } from 'commander';
import { jsonOption, toCount } from '../input/options.ts';
import type { BridgeListOptions } from './run/bridge.ts';

export function registerBridge(program: Command): void {
  const bridge = program
    .command('bridge')
    .description('tasks of programs of the original fleet: what the bridge knows, and what waits for you')
    .addHelpText('after', '\nExample:\n  fleet bridge status\n  fleet bridge take --all');
  bridge
    .command('status', { isDefault: true })
    .description('whether it runs, and how many tasks and questions of other programs are where')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet bridge status --json')
    .action(async (options: { json?: boolean }) => (await import('./run/bridge.ts')).runBridgeStatusCommand(options));
  bridge
    .command('ls')
    .description('the tasks that are older than the bridge’s first start, and those that a worker has')
    .option('--limit <n>', 'at most so many; default: 50', toCount(1, 100_000))
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet bridge ls --limit 200')
    .action(async (options: BridgeListOptions) => (await import('./run/bridge.ts')).runBridgeListCommand(options));
  bridge
    .command('take')
    .description('let the fleet do tasks that are older than the bridge’s first start; they cost money')
    .argument('[ids...]', 'as `fleet bridge ls` lists them: the part after task:')
    .option('--all', 'every one')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet bridge take build-42 build-43')
    .action(async (ids: string[], options: { all?: boolean; json?: boolean }) =>
      (await import('./run/bridge.ts')).runBridgeTakeCommand(ids, options),
    );
}
