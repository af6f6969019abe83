import { Option, type Command } from 'commander';
import { TASK_KINDS } from '../../../queues/kinds.ts';
import { toCount, toSeconds } from '../input/options.ts';
import type { WorkerCommandOptions } from './run/worker.ts';

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('an outside worker: run a program for each task that it claims, until Ctrl-C')
    .requiredOption(
      '--exec <command>',
      'command line for the shell: the task as JSON on its standard input, its output is the result',
    )
    .option('--slots <n>', 'tasks at once (default: 1)', toCount(1, 100))
    .option('--as <name>', 'name of the worker (default: of the host and the process)')
    .addOption(new Option('--kind <kind>', 'only tasks of this kind').choices([...TASK_KINDS]))
    .option('--batch <name>', 'only tasks of this batch')
    .option('--shard <name>', 'only tasks of this memory shard')
    .option('--lease <seconds>', 'how long a killed worker holds its tasks (default: 300)', toSeconds)
    .option('--deadline <seconds>', 'longest run of the program (default: 3600)', toSeconds)
    .option('--env <name...>', 'keys of the fleet that the program gets: ANTHROPIC_API_KEY')
    .option('--drain', 'end once no task is offered')
    .addHelpText('after', `\nExample:\n  fleet worker --exec 'claude -p --output-format json' --slots 2`)
    .action(async (options: WorkerCommandOptions) => (await import('./run/worker.ts')).runWorkerCommand(options));
}
