import type { TaskInput } from '../../../../queues/tasks.ts';
import { UsageError } from '../../../errors.ts';
import { waitForJob } from '../../../jobs/state/wait-for-job.ts';
import { formatUsd, toNanoUsd } from '../../../pricing/money.ts';
import { toSummary } from '../../../findings/stored.ts';
import { lineWidth, printJson, fitLine, describeShortfalls } from '../../output/print.ts';
import { describePatch } from '../../output/waiting-patches.ts';
import { warnWithoutWorkers } from '../../output/warnings.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { toTaskInput, type TaskCommandOptions } from './task-input.ts';

/** Options that describe one task; each line of a file has its own. */
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
  'effort',
  'isolate',
] as const;
/** Options for a file only. */
const OF_FILE = ['batch', 'limit', 'dryRun', 'out'] as const;

/** Does `fleet task`. */
export async function runTaskCommand(description: string | undefined, options: TaskCommandOptions): Promise<void> {
  if (options.file !== undefined) {
    refuse(options, OF_ONE, '--file: each line says this itself; leave out');
    if (description !== undefined) throw new UsageError('task: expected a description or --file, not both');
    const { runTaskFile } = await import('../../follow/batch-run.ts');
    return runTaskFile(options.file, options);
  }
  refuse(options, OF_FILE, 'only for --file:');
  if (description === undefined) throw new UsageError('task: expected a description, or --file FILE');
  await enqueue(toTaskInput(description, options), options);
}

async function enqueue(task: TaskInput, options: TaskCommandOptions): Promise<void> {
  await withFleet(async (fleet) => {
    const handle = await fleet.tasks.add(task, options.taskId === undefined ? {} : { taskId: options.taskId });
    const { id, findingId, added, state } = handle;
    if (!options.wait) {
      if (options.json) return printJson({ id, finding_id: findingId, added, state });
      console.log(added ? `Enqueued ${id}` : `${id} is there already: ${state}; nothing was added`);
      return console.log(`  its finding: fleet findings ${findingId}`);
    }
    if (!options.json) console.error(added ? `Enqueued ${id}, waiting` : `${id} is there already: ${state}`);
    await warnWithoutWorkers(fleet);
    const parts = { db: fleet.inner.db, queue: 'tasks' as const, findings: fleet.findings };
    const { showProgress } = await import('../../output/progress.ts');
    const progress = showProgress('Working', 0, 'turns');
    const finding = await waitForJob(parts, id, findingId, (now, turns) => {
      progress.setTotal(turns?.of ?? 1);
      progress.update(turns?.turn ?? 0, now);
    }).finally(() => progress.stop());
    if (options.json) return printJson(finding);
    console.log(`✅ ${findingId}  ${formatUsd(toNanoUsd(finding.cost ?? 0), 6)}`);
    for (const line of describeShortfalls(finding)) console.log(`   ${line}`);
    console.log(`   ${fitLine(toSummary(finding), Math.max(40, lineWidth() - 3))}`);
    const patch = describePatch(finding);
    if (patch !== null) console.log(`   Patch ${patch}`);
  });
}

function refuse(options: TaskCommandOptions, names: readonly (keyof TaskCommandOptions)[], why: string): void {
  // `--no-isolate` sets false; without it commander sets true.
  const given = names.filter((name) => (name === 'isolate' ? options[name] === false : options[name] !== undefined));
  if (given.length === 0) return;
  const flags = given.map(
    (name) =>
      `--${name === 'isolate' ? 'no-' : ''}${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  throw new UsageError(`${why} ${flags.join(', ')}`);
}
