import type { Effort } from '../../../../queues/effort.ts';
import type { TaskInput } from '../../../../queues/tasks.ts';
import { UsageError } from '../../../errors.ts';
import type { TaskFileOptions } from '../../follow/batch-run.ts';
import { parseJson, readJsonFile } from '../../input/files.ts';

/** The options of `fleet task`. */
export interface TaskCommandOptions extends TaskFileOptions {
  workspace?: string;
  kind?: TaskInput['kind'];
  data?: string;
  dataFile?: string;
  schema?: string;
  context?: string[];
  topic?: string[];
  files?: string[];
  allowMissing?: boolean;
  model?: string;
  escalate?: string[];
  cheap?: boolean;
  findingId?: string;
  taskId?: string;
  maxTurns?: number;
  effort?: Effort;
  for?: TaskInput['for'];
  /** False with `--no-isolate`. */
  isolate?: boolean;
}

/** @throws UsageError for a file that cannot be read or is no JSON; enqueuing checks everything else */
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
    shard: options.shard,
    topics: options.topic,
    model: options.model,
    escalate: options.escalate,
    budget: options.cheap === true ? 'cheap' : undefined,
    schema: options.schema === undefined ? undefined : readJsonFile('--schema', options.schema),
    finding_id: options.findingId,
    budget_usd: options.budget,
    max_turns: options.maxTurns,
    effort: options.effort,
    for: options.for,
    isolate: options.isolate === false ? false : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as unknown as TaskInput;
}
