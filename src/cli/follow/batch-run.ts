import { basename, extname } from 'node:path';
import type { OpenFleet } from '../../api/open-fleet.ts';
import { UsageError } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import { readHalt } from '../../halt/halt.ts';
import { toNanoUsd } from '../../pricing/money.ts';
import { createNotifier } from '../../swarm/notify.ts';
import { addBatch } from '../../tasks/batch/add.ts';
import { followBatch, type BatchEnd } from '../../tasks/batch/follow.ts';
import { createForecaster } from '../../tasks/batch/forecast.ts';
import { noticeBatchEnd } from '../../tasks/batch/lifecycle.ts';
import { readBatch, readParkedOf } from '../../tasks/batch/progress.ts';
import { readEntries } from '../../tasks/batch/read-entries.ts';
import { eachResult } from '../../tasks/batch/results.ts';
import { openSpool, type Spool } from '../../tasks/batch/spool.ts';
import { checkBatchName } from '../../tasks/batch/task-id.ts';
import type { BatchReport, BatchTask } from '../../tasks/batch/types.ts';
import { createProducer } from '../../tasks/enqueue.ts';
import { countOf, formatCount } from '../../text/plural.ts';
import { MissingFiles } from '../input/task-files.ts';
import { toSameCommand, waitInTime } from './wait-timeout.ts';
import { openInputStream, type InputStream } from '../input/files.ts';
import { withFleet, withInterrupt } from '../input/with-fleet.ts';
import { writeAtomically } from '../../files/atomic-write.ts';
import { describeLoaded, describeNow, printBatchEnd } from '../output/batch.ts';
import { renderBatchForecast } from '../output/forecast.ts';
import { printJson } from '../output/print.ts';
import { showProgress } from '../output/progress.ts';
import { EXIT } from '../output/report-failure.ts';
import { describeWaiting } from '../output/waiting-patches.ts';
import { describeTightForWorkers, warnWithoutWorkers } from '../output/warnings.ts';
import { stringifyExact } from '../../text/exact-json.ts';
import { catalogOf } from '../../pricing/catalog.ts';
import { createModelOf } from '../../routing/model-of.ts';
import { toConfigured } from '../../tasks/known-names.ts';

export interface TaskFileOptions {
  file?: string;
  batch?: string;
  /** Memory shard of the lines that name none; without a file, of the task. */
  shard?: string;
  limit?: number;
  budget?: number;
  dryRun?: boolean;
  wait?: boolean;
  /** Longest wait, seconds. */
  timeout?: number;
  out?: string;
  json?: boolean;
}

/** Bad lines that are printed; further ones are only counted. */
const PROBLEMS_SHOWN = 20;

/** Does `fleet task --file`: one run over a file, whose lines are the tasks of a batch. */
export async function runTaskFile(path: string, options: TaskFileOptions): Promise<void> {
  const batch = checkBatchName(options.batch ?? toBatchName(path));
  const input = await openInputStream('--file', path);
  await withInterrupt(`Interrupted. What was added goes on; the same command takes up batch ${batch} again.`, () =>
    withFleet((fleet) => new BatchRun(fleet, batch, input, options).run()),
  );
}

/** One run over a task file in one of three modes: check the lines, load them, or load them and wait for the tasks. */
class BatchRun {
  readonly #fleet: OpenFleet;
  readonly #batch: string;
  readonly #input: InputStream;
  readonly #options: TaskFileOptions;
  /** The lines of this run, where results are written or waited for. */
  #spool: Spool | null = null;

  constructor(fleet: OpenFleet, batch: string, input: InputStream, options: TaskFileOptions) {
    this.#fleet = fleet;
    this.#batch = batch;
    this.#input = input;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { budget, wait, out } = this.#options;
    if (budget !== undefined) await this.#warnOfTightBudget(budget);
    if (wait === true || out !== undefined) this.#spool = openSpool();
    try {
      if (out === undefined) await this.#runMode();
      else await this.#writeResults(out);
    } finally {
      this.#spool?.remove();
    }
  }

  async #runMode(): Promise<void> {
    if (this.#options.dryRun === true) return this.#check();
    return this.#options.wait === true ? this.#loadAndWait() : this.#load();
  }

  /** Checks every line and forecasts the cost of the new tasks. Adds nothing. */
  async #check(): Promise<void> {
    const { db, config } = this.#fleet.inner;
    const forecaster = createForecaster({
      db,
      findings: this.#fleet.findings,
      catalog: catalogOf(config),
      modelOf: createModelOf(config, db.clock.date()),
      coordinatorModel: config.FLEET_COORDINATOR_MODEL,
      now: db.clock.date(),
    });
    const report = await this.#addTasks((task) => {
      if (task.added) forecaster.add(task.input);
    });
    const forecast = await forecaster.forecast();
    if (this.#options.json === true) return printJson({ ...toCounts(report), forecast });
    console.log(renderBatchForecast(report, forecast));
  }

  /** Adds the tasks that the batch does not have yet. */
  async #load(): Promise<void> {
    const report = await this.#addTasks();
    this.#printLoaded(report);
    await this.#noticeEnd();
    if (this.#options.json === true) await this.#printJson(report, null);
  }

  /** Adds the tasks, and waits until all tasks of the file have ended or cannot run. */
  async #loadAndWait(): Promise<void> {
    const report = await this.#addTasks();
    this.#printLoaded(report);
    const end = report.added + report.existing > 0 ? await this.#wait(report) : null;
    if (end === 'halted') process.exitCode = EXIT.halted;
    else if (end !== null && end !== 'done') process.exitCode = EXIT.failed;
    await this.#noticeEnd();
    if (this.#options.json === true) return this.#printJson(report, end);
    if (end === null) return;
    const { db } = this.#fleet.inner;
    const parked = await readParkedOf(db, this.#batch);
    printBatchEnd(await readBatch(db, this.#batch), { end, halt: await readHalt(db), parked });
    const waiting = await describeWaiting(db, { batch: this.#batch });
    if (waiting !== null) console.log(waiting);
  }

  /** Runs the mode, then writes one result line for each line of the file. */
  async #writeResults(out: string): Promise<void> {
    const { db, queues } = this.#fleet.inner;
    await writeAtomically(out, async (write) => {
      await this.#runMode();
      if (this.#spool === null) return;
      for await (const result of eachResult(db, queues.tasks, this.#spool)) await write(`${stringifyExact(result)}\n`);
    });
    if (this.#options.json !== true) console.log(`Results: ${out}`);
  }

  async #addTasks(onTask: (task: BatchTask) => void = () => undefined): Promise<BatchReport> {
    const { dryRun = false, limit, budget } = this.#options;
    const { db, config, queues, currentSession } = this.#fleet.inner;
    const producer = createProducer(db, queues.tasks);
    const progress = showProgress(dryRun ? 'Checking' : 'Loading', this.#input.size ?? 0, 'bytes');
    let bytes = 0;
    let problems = 0;
    const missing = new MissingFiles(config.FLEET_WORKSPACES);
    try {
      const report = await addBatch(
        { db, queues, producer, currentSession, configured: toConfigured(config) },
        readEntries(this.#input.chunks, (read) => (bytes = read)),
        {
          batch: this.#batch,
          dryRun,
          ...(limit === undefined ? {} : { limit }),
          ...(budget === undefined ? {} : { budgetUsd: budget }),
          ...(this.#options.shard === undefined ? {} : { shard: this.#options.shard }),
          onProgress: ({ read, added, existing }) =>
            progress.update(
              bytes,
              `${countOf(read, 'line')}, ${formatCount(added)} new, ${formatCount(existing)} there already`,
            ),
          onInvalid: (line, message) => {
            this.#spool?.add({ line, error: message });
            problems += 1;
            if (problems <= PROBLEMS_SHOWN) console.error(`❌ line ${line}: ${message}`);
          },
          onTask: (line, task) => {
            onTask(task);
            if (task.added) missing.look(line, task.input);
            this.#spool?.add({ line, id: task.id, findingId: toFindingId(task.id, task.input.finding_id) });
          },
        },
      );
      if (report.invalid > 0) process.exitCode = EXIT.failed;
      return report;
    } finally {
      progress.stop();
      if (problems > PROBLEMS_SHOWN) console.error(`❌ … and ${countOf(problems - PROBLEMS_SHOWN, 'more bad line')}`);
      const warning = missing.describe();
      if (warning !== null) console.error(`⚠️  ${warning}`);
    }
  }

  async #wait(report: BatchReport): Promise<BatchEnd | null> {
    if (this.#spool === null) return null;
    const tasks = report.added + report.existing;
    await warnWithoutWorkers(this.#fleet);
    const progress = showProgress('Working', tasks, 'tasks');
    try {
      const { db, queues } = this.#fleet.inner;
      const spool = this.#spool;
      return await waitInTime({ timeout: this.#options.timeout, again: this.#toAgain() }, (say) =>
        followBatch({ db, queue: queues.tasks }, this.#batch, {
          spool,
          tasks,
          onProgress: (now) =>
            progress.update(Math.min(tasks, now.completed + now.failed + now.cancelled), describeNow(now)),
          say,
        }),
      );
    } finally {
      progress.stop();
    }
  }

  /** The same file again adds nothing that is there; what came by a pipe is gone. */
  #toAgain(): string {
    if (this.#options.file === '-') return `fleet status --batch ${this.#batch}`;
    return toSameCommand('--batch', this.#batch);
  }

  /** Announces the end of the batch, in case the workers ended its last task before the loading was over. */
  async #noticeEnd(): Promise<void> {
    const { db, config } = this.#fleet.inner;
    const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
    await noticeBatchEnd(db, this.#batch, notifier);
    await notifier.flush();
  }

  #printLoaded(report: BatchReport): void {
    if (this.#options.json !== true) console.log(describeLoaded(report));
  }

  async #printJson(report: BatchReport, end: BatchEnd | null): Promise<void> {
    printJson({ ...toCounts(report), end, state: await readBatch(this.#fleet.inner.db, this.#batch) });
  }

  async #warnOfTightBudget(budgetUsd: number): Promise<void> {
    const tooLittle = await describeTightForWorkers(this.#fleet, toNanoUsd(budgetUsd));
    if (tooLittle === null) return;
    console.error(`⚠️  --budget ${budgetUsd} is ${tooLittle}: every task is parked before its first call`);
  }
}

function toCounts({ batch, read, added, existing, invalid, problems }: BatchReport) {
  return { batch, read, added, existing, invalid, problems };
}

/** The batch is named like the file, so that the same file again adds only what is missing. */
function toBatchName(path: string): string {
  if (path === '-') throw new UsageError('--file -: the standard input has no name; give --batch NAME');
  const name = basename(path, extname(path))
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  if (name === '') throw new UsageError(`--file ${path}: its name makes no batch name; give --batch NAME`);
  return name.slice(0, 100);
}
