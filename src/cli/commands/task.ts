import { Option, type Command } from 'commander';
import { TASK_FOR, TASK_KINDS } from '../../../queues/kinds.ts';
import { effortOption, jsonOption, toCount, toUsd, timeoutOption } from '../input/options.ts';
import type { TaskCommandOptions } from './run/task-input.ts';

export function registerTask(program: Command): void {
  addTaskOptions(
    program
      .command('task')
      .description('enqueue one task, or a file of them')
      .argument('[description]', 'what is to be done'),
  )
    .addOption(new Option('--for <who>', 'who may take it (default: fleet)').choices([...TASK_FOR]))
    .option('--task-id <id>', 'the job’s id; one that exists is reported, never added twice')
    .option('--budget <usd>', 'own budget of the task or batch; reaching it parks it', toUsd)
    .option('--wait', 'until it has ended: exit 0 done, 1 failed, cancelled or parked, 3 halted')
    .addOption(timeoutOption())
    .option('--file <file>', 'tasks as JSONL, one object a line, any size; - reads the standard input')
    .option('--batch <name>', 'name of the file’s batch (default: the file’s own); again adds only missing lines')
    .option('--shard <name>', 'memory shard of the task, or of the lines of the file that name none')
    .option('--limit <n>', 'add at most so many lines that are not there yet', toCount(1, 1_000_000_000))
    .option('--dry-run', 'check every line and forecast the cost; add nothing')
    .option('--out <file>', 'one result line for each input line, in order, written at the end')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  fleet task "List the exported functions of src/a.ts" --workspace site --kind docs --wait
  fleet task "Check these" --files src/*.ts --workspace site
  fleet task --file tasks.jsonl --dry-run
  fleet task --file tasks.jsonl --batch nightly --budget 2 --wait --out results.jsonl`,
    )
    .action(async (description: string | undefined, options: TaskCommandOptions) =>
      (await import('./run/task.ts')).runTaskCommand(description, options),
    );
}

/** Adds the options that describe a task; `single` has them, too. */
export function addTaskOptions(command: Command): Command {
  return command
    .option('--workspace <name>', 'folder it may work in, a name of FLEET_WORKSPACES; default: none')
    .addOption(new Option('--kind <kind>', 'what it is mainly about').choices([...TASK_KINDS]))
    .option('--data <json>', 'any JSON the task needs')
    .option('--data-file <file>', 'the same from a file')
    .option('--schema <file>', 'JSON Schema that the result must fit')
    .option('--context <name...>', 'memory contexts (fleet context ls)')
    .option('--topic <topic...>', 'topics of its finding')
    .option('--files <path...>', 'what it is about, relative to the workspace')
    .option('--allow-missing', 'some of the files do not exist yet')
    .option('--model <id>', 'default: what the routes of models.json choose, else FLEET_HAIKU_MODEL')
    .option('--escalate <id...>', 'models that try it again after schema, step-limit or handed-back')
    .option('--cheap', 'it takes the routes for cheap tasks')
    .option('--max-turns <n>', 'most model calls (default: 30)', toCount(1, 200))
    .addOption(effortOption())
    .option('--no-isolate', 'it writes in the shared tree of the workspace, not in a tree of its own')
    .option('--finding-id <id>', 'id of its finding; a taken one is refused');
}
