import { InvalidArgumentError, type Command } from 'commander';
import { jsonOption, toCount } from '../input/options.ts';
import type { BenchOptions } from './run/bench.ts';

export function registerBench(program: Command): void {
  program
    .command('bench')
    .description('measure here what the fleet is built on: its Redis, or a fleet of its own on a simulated model')
    .argument('<what>', 'redis: round trips, and a context of 3.2 MB beside files; spawn: worker and task', toWhat)
    .option('--rounds <n>', 'how often (default: redis 2000, spawn 100)', toCount(3, 1_000_000))
    .option('--save <folder>', 'also write the page redis.md or spawn.md into this folder; it is made if need be')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  fleet bench redis\n  fleet bench spawn --rounds 200 --save benchmarks')
    .action(async (what: 'redis' | 'spawn', options: BenchOptions) =>
      (await import('./run/bench.ts')).runBenchCommand(what, options),
    );
}

function toWhat(text: string): 'redis' | 'spawn' {
  if (text === 'redis' || text === 'spawn') return text;
  throw new InvalidArgumentError('expected redis or spawn.');
}
