import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { countOf } from '../../text/plural.ts';
import { addBatch } from '../../tasks/batch/add.ts';
import { readBatch } from '../../tasks/batch/progress.ts';
import { noticeBatchEnd } from '../../tasks/batch/lifecycle.ts';
import { followBatch, type BatchEnd } from '../../tasks/batch/follow.ts';
import type { BatchReport } from '../../tasks/batch/types.ts';
import { createForecaster, type Forecaster } from '../../tasks/batch/forecast.ts';
import { readEntries } from '../../tasks/batch/read-entries.ts';
import { eachResult } from '../../tasks/batch/results.ts';
import { openSpool, type Spool } from '../../tasks/batch/spool.ts';
import { checkBatchName } from '../../tasks/batch/task-id.ts';
import { createProducer } from '../../tasks/enqueue.ts';
import type { OpenFleet } from '../../api/open-fleet.ts';
import { toMessage, UsageError } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import { parseHalt } from '../../halt/halt.ts';
import { toNanoUsd } from '../../pricing/money.ts';
import { createNotifier } from '../../swarm/notify.ts';
import { choicesOf } from '../../status/render/halt-choices.ts';
import { EXIT } from '../output/exit-codes.ts';
import { withInterrupt } from '../interrupt.ts';
import { describeTooLittle } from '../cheapest-call.ts';
import { printJson } from '../output/print.ts';
import { showProgress } from '../output/progress.ts';
import { renderBatch } from '../output/batch.ts';
import { renderForecast } from '../output/forecast.ts';
import { warnWithoutWorkers } from '../warn-without-workers.ts';
import { withFleet } from '../with-fleet.ts';
import { writeWhole } from '../output/atomic-write.ts';

export interface TaskFileOptions {
  batch?: string;
  limit?: number;
  budget?: number;
  dryRun?: boolean;
  wait?: boolean;
  out?: string;
  json?: boolean;
}

interface TaskFile {
  chunks: AsyncIterable<Buffer | string>;
  /** Bytes; null for a pipe. */
  size: number | null;
  batch: string;
}

/** Bad lines printed one by one; the rest is a number. */
const PROBLEMS_SHOWN = 20;

/** `fleet task --file`: loads a file as a batch, and waits for it and writes its results where asked to. */
export async function loadTaskFile(path: string, options: TaskFileOptions): Promise<void> {
  const batch = checkBatchName(options.batch ?? toBatchName(path));
  const file = { ...(await openTaskFile(path)), batch };
  await withInterrupt(`Interrupted. What was added goes on; the same command takes up batch ${batch} again.`, () =>
    withFleet((fleet) => loadAndFinish(fleet, file, options)),
  );
}

async function loadAndFinish(fleet: OpenFleet, file: TaskFile, options: TaskFileOptions): Promise<void> {
  const { db, queues } = fleet.inner;
  warnOfTightBudget(fleet, options.budget);
  const spool = options.wait === true || options.out !== undefined ? openSpool() : null;
  const forecaster = options.dryRun ? createForecasterOf(fleet) : null;
  try {
    const run = async (): Promise<void> => {
      const report = await addFile(fleet, file, options, spool, forecaster);
      await finish(fleet, report, options, spool, forecaster);
    };
    if (spool === null || options.out === undefined) return await run();
    await writeWhole(options.out, async (write) => {
      await run();
      for await (const result of eachResult(db, queues.tasks, spool)) {
        await write(`${JSON.stringify(result)}\n`);
      }
    });
    if (!options.json) console.log(`Results: ${options.out}`);
  } finally {
    spool?.remove();
  }
}

async function addFile(
  { inner }: OpenFleet,
  file: TaskFile,
  options: TaskFileOptions,
  spool: Spool | null,
  forecaster: Forecaster | null,
): Promise<BatchReport> {
  const { db, config, queues, currentSession } = inner;
  const producer = createProducer(db, queues.tasks);
  const progress = showProgress(options.dryRun ? 'Checking' : 'Loading', file.size ?? 0, 'bytes');
  let bytes = 0;
  let shown = 0;
  try {
    return await addBatch(
      { db, producer, currentSession, configured: Object.keys(config.FLEET_WORKSPACES) },
      readEntries(file.chunks, (read) => (bytes = read)),
      {
        batch: file.batch,
        dryRun: options.dryRun ?? false,
        ...(options.limit === undefined ? {} : { limit: options.limit }),
        ...(options.budget === undefined ? {} : { budgetUsd: options.budget }),
        onProgress: ({ read, added, existing }) =>
          progress.update(bytes, `${countOf(read, 'line')}, ${added} new, ${existing} there already`),
        onInvalid(line, message) {
          spool?.add({ line, error: message });
          shown += 1;
          if (shown <= PROBLEMS_SHOWN) console.error(`❌ line ${line}: ${message}`);
        },
        onTask(line, task) {
          if (options.dryRun !== true || task.added) forecaster?.add(task.input);
          spool?.add({ line, id: task.id, findingId: toFindingId(task.id, task.input.finding_id) });
        },
      },
    );
  } finally {
    progress.stop();
    if (shown > PROBLEMS_SHOWN) console.error(`❌ … and ${countOf(shown - PROBLEMS_SHOWN, 'more bad line')}`);
  }
}

async function finish(
  fleet: OpenFleet,
  report: BatchReport,
  options: TaskFileOptions,
  spool: Spool | null,
  forecaster: Forecaster | null,
): Promise<void> {
  const { db, config } = fleet.inner;
  const { redis, keys } = db;
  const batch = report.batch ?? '';
  if (report.invalid > 0) process.exitCode = EXIT.failed;
  if (forecaster !== null) {
    const forecast = await forecaster.forecast();
    return options.json ? printJson({ ...toCounts(report), forecast }) : console.log(renderForecast(report, forecast));
  }
  if (!options.json) console.log(describe(report));
  let end: BatchEnd | null = null;
  if (options.wait && spool !== null && report.added + report.existing > 0) {
    end = await wait(fleet, batch, report, spool);
    if (end === 'halted') process.exitCode = EXIT.halted;
    else if (end !== 'done') process.exitCode = EXIT.failed;
  }
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
  await noticeBatchEnd(db, batch, notifier); // the workers may have been faster than the loading
  await notifier.flush();
  if (options.json) return printJson({ ...toCounts(report), end, state: await readBatch(db, batch) });
  if (end === null) return;
  console.log(renderBatch(await readBatch(db, batch)));
  if (end === 'parked') console.log(`Parked:  some wait for a higher budget: fleet budget USD --batch ${batch}`);
  const halt = await redis.get(keys.haltReason);
  if (end !== 'halted' || halt === null) return;
  const { reason, detail } = parseHalt(halt);
  console.log(`⛔ Halted: ${reason}${detail === '' ? '' : ` (${detail})`}`);
  for (const choice of choicesOf(parseHalt(halt))) console.log(`  ➜ ${choice.what}: ${choice.command}`);
  console.log('  The batch goes on then; the same command waits for it again.');
}

async function wait(fleet: OpenFleet, batch: string, report: BatchReport, spool: Spool): Promise<BatchEnd> {
  const tasks = report.added + report.existing;
  await warnWithoutWorkers(fleet);
  const progress = showProgress('Working', tasks, 'tasks');
  try {
    const { db, queues } = fleet.inner;
    return await followBatch({ db, queue: queues.tasks }, batch, {
      spool,
      tasks,
      onProgress: (completed, failed) =>
        progress.update(Math.min(tasks, completed + failed), failed === 0 ? '' : `${failed} failed`),
    });
  } finally {
    progress.stop();
  }
}

function describe({ batch, added, existing, invalid, read }: BatchReport): string {
  const parts = [
    `${countOf(added, 'task')} added`,
    ...(existing > 0 ? [`${existing.toLocaleString('en-US')} there already`] : []),
    ...(invalid > 0 ? [countOf(invalid, 'bad line')] : []),
  ];
  return `Batch ${batch ?? ''}: ${parts.join(', ')} (${countOf(read, 'line')} read)`;
}

function toCounts({ batch, read, added, existing, invalid, problems }: BatchReport) {
  return { batch, read, added, existing, invalid, problems };
}

function warnOfTightBudget({ inner }: OpenFleet, budgetUsd: number | undefined): void {
  if (budgetUsd === undefined) return;
  const tooLittle = describeTooLittle(inner.config, toNanoUsd(budgetUsd));
  if (tooLittle === null) return;
  console.error(`⚠️  --budget ${budgetUsd} is ${tooLittle}: every task is parked before its first call`);
}

/** The file's own name is its batch: the same file again adds only what is missing. */
function toBatchName(path: string): string {
  if (path === '-') throw new UsageError('--file -: the standard input has no name; give --batch NAME');
  const name = basename(path, extname(path))
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  if (name === '') throw new UsageError(`--file ${path}: its name makes no batch name; give --batch NAME`);
  return name.slice(0, 100);
}

async function openTaskFile(path: string): Promise<Omit<TaskFile, 'batch'>> {
  if (path === '-') return { chunks: process.stdin, size: null };
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new UsageError(`--file ${path}: is a folder`);
    return { chunks: createReadStream(path, { highWaterMark: 256 * 1024 }), size: found.isFile() ? found.size : null };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--file: cannot read ${path}: ${toMessage(error)}`, { cause: error });
  }
}

function createForecasterOf({ inner, findings }: OpenFleet): Forecaster {
  const { db, config } = inner;
  return createForecaster({
    db,
    findings,
    defaultModel: config.FLEET_HAIKU_MODEL,
    sonnetModel: config.FLEET_SONNET_MODEL,
    now: new Date(),
  });
}
