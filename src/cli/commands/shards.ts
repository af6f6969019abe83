import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

export function registerShards(program: Command): void {
  program
    .command('shards')
    .description('the Gemini keys: quota, pace, status, and what went wrong last')
    .option('--test', 'ask each shard one small question, within its limits: exit 1 if one fails')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  fleet shards\n  fleet shards --test')
    .action(async (options: { test?: boolean; json?: boolean }) =>
      (await import('./run/shards.ts')).runShardsCommand(options),
    );
}
