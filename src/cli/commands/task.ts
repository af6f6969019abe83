import { Option, type Command } from 'commander';
import { TASK_KINDS, type TaskInput } from '../../../queues/tasks.ts';
import { UsageError } from '../../errors.ts';
import { followJob } from '../../jobs/state/wait-for-job.ts';
import { formatUsd, toNanoUsd } from '../../pricing/money.ts';
import { toSummary } from '../../findings/stored.ts';
import { loadTaskFile, type TaskFileOptions } from '../follow/load-task-file.ts';
import { jsonOption, parseJson, readJsonFile, toCount, toUsd } from '../options.ts';
import { lineWidth, printJson, toLine } from '../output/print.ts';
import { showProgress } from '../output/progress.ts';
import { warnWithoutWorkers } from '../warn-without-workers.ts';
import { withFleet } from '../with-fleet.ts';

export interface TaskCommandOptions extends TaskFileOptions {
  file?: string;
  workspace?: string;
  kind?: TaskInput['kind'];
  data?: string;
  dataFile?: string;
  schema?: string;
  context?: string[];
  topic?: string[];
  files?: string[];
  model?: string;
  findingId?: string;
  taskId?: string;
  maxTurns?: number;
}

/** Options that say something about one task; a file says it on each line. */
const OF_ONE = [
  'workspace',
  'kind',
  'data',
  'dataFile',
  'schema',
  'context',
  'topic',
  'files',
  'model',
  'findingId',
  'taskId',
  'maxTurns',
] as const;
/** Options that make sense for a file only. */
const OF_FILE = ['batch', 'limit', 'dryRun', 'out'] as const;

export function registerTask(program: Command): void {
  addTaskOptions(
    program
      .command('task')
      .description('enqueue one task, or a file of them')
      .argument('[description]', 'what is to be done'),
  )
    .option('--task-id <id>', 'the job’s id; one that exists is reported, never added twice')
    .option('--budget <usd>', 'own budget of the task or batch; reaching it parks it', toUsd)
    .option('--wait', 'until it has ended: exit 0 done, 1 failed or parked, 3 halted')
    .option('--file <file>', 'tasks as JSONL, one object a line, any size; - reads the standard input')
    .option('--batch <name>', 'name of the file’s batch (default: the file’s own); again adds only missing lines')
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
    .action(async (description: string | undefined, options: TaskCommandOptions) => {
      if (options.file !== undefined) {
        refuse(options, OF_ONE, '--file: each line says this itself; leave out');
        if (description !== undefined) throw new UsageError('task: expected a description or --file, not both');
        return loadTaskFile(options.file, options);
      }
      refuse(options, OF_FILE, 'only for --file:');
      if (description === undefined) throw new UsageError('task: expected a description, or --file FILE');
      await enqueue(toTaskInput(description, options), options);
    });
}

/** The options that describe a task, shared with `single`. */
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
    .option('--model <id>', 'default: FLEET_HAIKU_MODEL')
    .option('--max-turns <n>', 'most model calls (default: 30)', toCount(1, 200))
    .option('--finding-id <id>', 'id of its finding; a taken one is refused');
}

/** @throws UsageError for a file that cannot be read or is no JSON; the rest is checked when it is enqueued */
export function toTaskInput(description: string, options: TaskCommandOptions): TaskInput {
  if (options.data !== undefined && options.dataFile !== undefined) {
    throw new UsageError('task: expected --data or --data-file, not both');
  }
  const data =
    options.data !== undefined
      ? parseJson('--data', options.data)
      : options.dataFile !== undefined
        ? readJsonFile('--data-file', options.dataFile)
        : undefined;
  const given = {
    description,
    kind: options.kind,
    data,
    files: options.files,
    workspace: options.workspace,
    contexts: options.context,
    topics: options.topic,
    model: options.model,
    schema: options.schema === undefined ? undefined : readJsonFile('--schema', options.schema),
    finding_id: options.findingId,
    budget_usd: options.budget,
    max_turns: options.maxTurns,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as unknown as TaskInput;
}

async function enqueue(task: TaskInput, options: TaskCommandOptions): Promise<void> {
  await withFleet(async (fleet) => {
    const { redis, keys, queues } = fleet.inner;
    const handle = await fleet.tasks.add(task, options.taskId === undefined ? {} : { taskId: options.taskId });
    const { id, findingId, added, state } = handle;
    if (!options.wait) {
      if (options.json) return printJson({ id, finding_id: findingId, added, state });
      console.log(added ? `Enqueued ${id}` : `${id} is there already: ${state}; nothing was added`);
      return console.log(`  its finding: fleet findings ${findingId}`);
    }
    if (!options.json) console.error(added ? `Enqueued ${id}, waiting` : `${id} is there already: ${state}`);
    await warnWithoutWorkers(fleet);
    const parts = { redis, keys, queue: queues.tasks, findings: fleet.findings };
    const progress = showProgress('Working', 0, 'turns');
    const finding = await followJob(parts, id, findingId, (now, turns) => {
      progress.setTotal(turns?.of ?? 1);
      progress.update(turns?.turn ?? 0, now);
    }).finally(() => progress.stop());
    if (options.json) return printJson(finding);
    console.log(`✅ ${findingId}  ${formatUsd(toNanoUsd(finding.cost ?? 0), 6)}`);
    console.log(`   ${toLine(toSummary(finding), Math.max(40, lineWidth() - 3))}`);
  });
}

function refuse(options: TaskCommandOptions, names: readonly (keyof TaskCommandOptions)[], why: string): void {
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  const flags = given.map((name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  throw new UsageError(`${why} ${flags.join(', ')}`);
}
