import type { Command } from 'commander';
import { jsonOption, timeoutOption } from '../input/options.ts';
import type { AskCommandOptions } from './run/ask.ts';

export function registerAsk(program: Command): void {
  program
    .command('ask')
    .description('ask the archive of all findings; the answer cites them')
    .argument('<question>', 'in plain words')
    .option('--session <name>', 'only from findings of this session')
    .option('--mission <id>', 'only from findings of this mission')
    .option('--batch <name>', 'only from findings of this batch')
    .option('--context <name>', 'from this memory context and the findings of its memory shard; cites its lines')
    .option('--shard <name>', 'only from findings of this memory shard (default: from those that belong to none)')
    .option('--topic <topic>', 'only from findings with this topic')
    .option('--since <time>', 'only from findings since then: 2026-11-20, an ISO instant, or 90m, 12h, 7d ago')
    .option(
      '--swarm <name>',
      'from findings of another swarm, which FLEET_READ_SWARMS names; all: from ours and theirs',
    )
    .option('--query-id <id>', 'the query’s id; one that exists is reported, never asked twice')
    .option('--no-fallback', 'wait for a shard rather than ask another vendor’s model')
    .option('--wait', 'until it is answered: exit 0 done, 1 failed, cancelled or parked, 3 halted')
    .addOption(timeoutOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  fleet ask "What did instance-10 learn about costs?" --session instance-10 --wait\n  fleet ask "Which pages are broken?" --since 7d --wait\n  fleet ask "What is known about the outage?" --swarm all --wait\n  fleet ask "How many crates of tea?" --context house --wait',
    )
    .action(async (question: string, options: AskCommandOptions) =>
      (await import('./run/ask.ts')).runAskCommand(question, options),
    );
}
