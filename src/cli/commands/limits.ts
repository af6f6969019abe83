import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

export function registerLimits(program: Command): void {
  program
    .command('limits')
    .alias('shards')
    .description('what limits each model and Gemini key: used, left, who says so, and how long one waits')
    .option('--test', 'ask each shard one small question, within its limits: exit 1 if one fails')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  fleet limits\n  fleet limits --test')
    .action(async (options: { test?: boolean; json?: boolean }) =>
      (await import('./run/limits.ts')).runLimitsCommand(options),
    );
}
