import type { Command } from 'commander';
import { FINDINGS_SHOWN, jsonOption, toCount } from '../input/options.ts';
import { registerRetract } from './findings-retract.ts';
import type { FindingsOptions } from './run/findings.ts';

export function registerFindings(program: Command): void {
  const command = program
    .command('findings')
    .description('what was found: one finding whole, or the newest, one line each')
    .argument('[id]', 'finding id, without finding:; ops/finding_… of another swarm')
    .option('--find <words>', 'those with the most of these words first, then the newest; "quoted words" as they are')
    .option('--grep <text>', 'only those that hold this text, literally, case ignored')
    .option('--session <name>', 'only of this session')
    .option('--batch <name>', 'only of this batch')
    .option('--shard <name>', 'only of this memory shard')
    .option('--swarm <name>', 'those of another swarm, which FLEET_READ_SWARMS names')
    .option('--answers', 'the librarian’s answers instead of findings')
    .option('--unreadable', 'what other programs stored as findings and nobody can read')
    .option('--limit <n>', `how many (default: ${FINDINGS_SHOWN}; with --export all)`, toCount(1, 10_000_000))
    .option(
      '--export [file]',
      'write all as JSONL, oldest first, retracted ones, condensed ones and answers too (default: to the standard output)',
    )
    .option('--import <file>', 'store what --export wrote, here or in another swarm; ids that are taken are left alone')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  fleet findings finding_8f3a2c1d9e4b\n  fleet findings --find "gemini limits"\n  fleet findings --swarm ops --find "gemini limits"\n  fleet findings --grep "rate limit" --session instance-10\n  fleet findings --export all.jsonl\n  FLEET_SWARM=other fleet findings --import all.jsonl',
    )
    .action(async (id: string | undefined, options: FindingsOptions) =>
      (await import('./run/findings.ts')).runFindingsCommand(id, options),
    );
  registerRetract(command);
}
