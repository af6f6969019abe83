import type { TaskInput } from '../../../../queues/tasks.ts';
import { UsageError } from '../../../errors.ts';
import { assertSameWords } from '../../../jobs/same-words.ts';
import { waitForJob } from '../../../jobs/state/wait-for-job.ts';
import { describeThere } from '../../follow/there-already.ts';
import { assertWaits, toSameCommand, waitInTime } from '../../follow/wait-timeout.ts';
import { fitLine, lineWidth, printJson, describeShortfalls, describeCost } from '../../output/print.ts';
import { renderResult } from '../../output/finding/result.ts';
import { describePatch } from '../../output/waiting-patches.ts';
import { warnWithoutWorkers } from '../../output/warnings.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { refuseMissingFiles } from '../../input/task-files.ts';
import { assertMeant } from '../../input/meant-words.ts';
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
  'allowMissing',
  'model',
  'escalate',
  'cheap',
  'findingId',
  'taskId',
  'maxTurns',
  'effort',
  'isolate',
  'for',
] as const;
/** Options for a file only. */
const OF_FILE = ['batch', 'limit', 'dryRun', 'out'] as const;

/** Does `fleet task`. */
export async function runTaskCommand(description: string | undefined, options: TaskCommandOptions): Promise<void> {
  assertWaits('task', options.timeout, options.wait === true && options.dryRun !== true);
  if (options.file !== undefined) {
    refuse(options, OF_ONE, '--file: each line says this itself; leave out');
    if (description !== undefined) throw new UsageError('task: expected a description or --file, not both');
    const { runTaskFile } = await import('../../follow/batch-run.ts');
    return runTaskFile(options.file, options);
  }
  refuse(options, OF_FILE, 'only for --file:');
  if (description === undefined) throw new UsageError('task: expected a description, or --file FILE');
  const task = toTaskInput(description, options);
  refuseMissingFiles(task, options.allowMissing === true);
  await assertMeant(description, {
    command: 'task',
    as: 'a task',
    effect: 'doing it is paid',
    instead: ['fleet jobs', 'fleet findings ID', 'fleet failed'],
  });
  await enqueue(task, options);
}

async function enqueue(task: TaskInput, options: TaskCommandOptions): Promise<void> {
  await withFleet(async (fleet) => {
    const handle = await fleet.tasks.add(task, {
      ...(options.taskId === undefined ? {} : { taskId: options.taskId }),
      allowMissing: true, // refused before
    });
    const { id, findingId, added, state } = handle;
    if (!added) await assertSameWords(fleet.inner.db, 'tasks', { id, findingId, words: task.description });
    const there = added ? '' : await describeThere(fleet.inner.db, 'tasks', { id, state });
    if (!options.wait) {
      if (options.json) return printJson({ id, finding_id: findingId, added, state });
      console.log(added ? `Enqueued ${id}` : `${there}; nothing was added`);
      return console.log(`  its finding: fleet findings ${findingId}`);
    }
    if (!options.json) console.error(added ? `Enqueued ${id}, waiting` : there);
    await warnWithoutWorkers(fleet, task.for);
    const parts = { db: fleet.inner.db, queue: 'tasks' as const, findings: fleet.findings };
    const { onlyChanges, showProgress } = await import('../../output/progress.ts');
    const progress = showProgress('Working', 0, 'turns');
    const sayWhy = onlyChanges((why) => console.error(fitLine(why, lineWidth())));
    const limits = { timeout: options.timeout, again: toSameCommand('--task-id', id), id };
    const finding = await waitInTime(limits, (say) =>
      waitForJob({ ...parts, say }, id, findingId, ({ state: now, turns, why }) => {
        progress.setTotal(turns?.of ?? 1);
        progress.update(turns?.turn ?? 0, why ?? now);
        sayWhy(why);
      }),
    ).finally(() => progress.stop());
    if (options.json) return printJson(finding);
    console.log(`✅ ${findingId}  ${describeCost(finding) ?? ''}`);
    for (const line of describeShortfalls(finding)) console.log(`   ${line}`);
    const patch = describePatch(finding);
    if (patch !== null) console.log(`   Patch ${patch}`);
    console.log(`\n${renderResult(finding.result)}`);
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
