import type { Command } from 'commander';
import { jsonOption, timeoutOption, toUsd } from '../input/options.ts';
import { registerPaperShow } from './paper-show.ts';
import type { PaperOptions } from './run/paper.ts';

export function registerPaper(program: Command): void {
  const command = program
    .command('paper')
    .description('write a document from the archive, section by section, every claim cited')
    .argument('[goal]', 'what the paper is about')
    .option('--out <file>', 'where it is written once it is whole; a file that exists is never written over')
    .option(
      '--resume <mission>',
      'continue a paper that is blocked, parked or failed; or write the file of one that is done',
    )
    .option('--session <name>', 'only from findings of this session')
    .option('--budget <usd>', 'own budget of the whole paper; reaching it parks it', toUsd)
    .option('--accept-shards', 'continue without shards that fail the test before it, where at least 80 % work')
    .option('--mission-id <id>', 'the paper’s id; one that exists is waited for, never begun twice')
    .option('--wait', 'until the file is written; so it does without', true)
    .addOption(timeoutOption())
    .option('--no-wait', 'only begin it; fleet paper --resume ID --out FILE writes the file later')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit: 0 written, 1 failed or waiting for a choice, 2 wrong use, 3 halted, 4 --timeout is over\n\nExamples:\n  fleet paper "What we know about rate limits" --out limits.md\n  fleet paper show mission-8f3a2c1d9e4b\n  fleet paper --resume mission-8f3a2c1d9e4b --out limits.md',
    )
    .action(async (goal: string | undefined, options: PaperOptions) =>
      (await import('./run/paper.ts')).runPaperCommand(goal, options),
    );
  registerPaperShow(command);
}
