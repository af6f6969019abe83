import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import { tasksQueue } from '../../queues/tasks.ts';
import type { Config } from '../../src/config/environment.ts';
import { cancelSelected, checkCancel } from '../../src/coordinator/control/cancel.ts';
import { TaskFailedError } from '../../src/errors.ts';
import { createFindingStore } from '../../src/findings/store.ts';
import { catalogOf, type CatalogEntry } from '../../src/pricing/catalog.ts';
import type { Db } from '../../src/redis/db.ts';
import { createEvictionCheck } from '../../src/redis/preflight.ts';
import { createModelOf } from '../../src/routing/model-of.ts';
import { currentUser } from '../../src/swarm/current-user.ts';
import { createNotifier } from '../../src/swarm/notify.ts';
import { createKindCheck } from '../../src/swarm/same-kind.ts';
import { createForecaster } from '../../src/tasks/batch/forecast.ts';
import { readKnownNames, toConfigured } from '../../src/tasks/known-names.ts';
import { editTask } from '../../src/tasks/repair/edited-task.ts';
import { retryQueue, retrySelected, type RetryParts } from '../../src/tasks/repair/retry-selected.ts';
import type { RetryReport, RetrySelection, TaskEdit } from '../../src/tasks/repair/types.ts';
import { toVisible } from '../access/visible-text.ts';
import { toRefusedField } from './edit-task.ts';

/** What became, or would become, of each job. */
export interface ChangeReport {
  /** Ids of the jobs that were, or would be, changed. */
  done: string[];
  /** `field`: that of the edit which breaks the rule; null: none does. */
  refused: { id: string; message: string; field: string | null }[];
  /** What the retried tasks may cost; null: nothing is forecast. Nano-dollars. */
  forecast: { tasks: number; likely: number; high: number; budgetLeft: number } | null;
}

/** A selection of a person in a page. `dryRun`: nothing is changed, and the report tells what would be. */
export interface JobChange {
  ids: readonly string[];
  dryRun: boolean;
  /** What the person changes about the one task before it runs again. */
  edit?: TaskEdit | undefined;
}

interface ChangeParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  config: Config;
}

/** Creates the changes of the pages of jobs. They are those of `fleet retry` and `fleet cancel`, with their guards. */
export function createJobChanges({ db, queues, config }: ChangeParts) {
  const checks = [createKindCheck(db, config), createEvictionCheck(db.redis)];
  const notifier = createNotifier({ target: config.FLEET_NOTIFY, db });
  const configured = toConfigured(config);

  function retry({ ids, dryRun, edit }: JobChange): Promise<ChangeReport> {
    return retryChosen({ ids }, dryRun, edit);
  }

  /** @throws FleetError where nothing may be added; NotFoundError where no batch has this name */
  async function retryChosen(chosen: RetrySelection, dryRun: boolean, edit: TaskEdit = {}): Promise<ChangeReport> {
    const report = await change((parts, by) => retrySelected(parts, chosen, { ...edit, dryRun, by }));
    return toReport(report.retried, report.refused, dryRun ? await forecast(report.retried, edit) : null);
  }

  /** Retries all that failed in a queue, but what a person cancelled. @throws FleetError where nothing may be added */
  async function retryAll(queue: QueueName): Promise<ChangeReport> {
    const { retried, refused } = await change((parts, by) => retryQueue(parts, queue, { by }));
    return toReport(retried, refused, null);
  }

  async function change(act: (parts: RetryParts, by: string) => Promise<RetryReport>): Promise<RetryReport> {
    await Promise.all(checks.map((check) => check()));
    const report = await act({ db, queues, notifier, configured }, `${currentUser()}, in the dashboard`);
    await notifier.flush();
    return report;
  }

  async function cancel({ ids, dryRun }: JobChange): Promise<ChangeReport> {
    const parts = { db, queues };
    const report = await (dryRun ? checkCancel(parts, ids) : cancelSelected(parts, { ids }));
    return toReport(report.ids, report.refused, null);
  }

  /** Of the tasks among these jobs: what a question or mission costs cannot be told before it runs. */
  async function forecast(ids: readonly string[], edit: TaskEdit): Promise<ChangeReport['forecast']> {
    const at = db.clock.date();
    const catalog = catalogOf(config);
    const modelOf = createModelOf(config, at);
    const forecaster = createForecaster({
      db,
      findings: createFindingStore(db),
      catalog,
      modelOf,
      coordinatorModel: config.FLEET_COORDINATOR_MODEL,
      now: at,
    });
    const isEdited = Object.keys(edit).length > 0;
    const known = isEdited ? await readKnownNames(db, configured) : null;
    let tasks = 0;
    for (const job of await Promise.all(ids.map((id) => queues.tasks.getJob(id)))) {
      const data: unknown = known === null ? job?.data : await editTask(job?.data, edit, known);
      const input = tasksQueue.data.safeParse(data);
      if (!input.success || !hasPrice(() => catalog.findPrices(modelOf(input.data), at))) continue;
      forecaster.add(input.data);
      tasks += 1;
    }
    if (tasks === 0) return null;
    const { likely, high, budgetLeft } = await forecaster.forecast();
    return { tasks, likely, high, budgetLeft };
  }

  return { retry, retryChosen, retryAll, cancel };
}

/** A task that failed because its model is unknown is retried, too; then its worker says so. */
function hasPrice(find: () => CatalogEntry): boolean {
  try {
    find();
    return true;
  } catch (error) {
    if (error instanceof TaskFailedError) return false;
    throw error;
  }
}

function toReport(
  done: string[],
  refused: readonly { id: string; message: string }[],
  forecast: ChangeReport['forecast'],
): ChangeReport {
  return {
    done,
    refused: refused.map(({ id, message }) => ({ id, message: toVisible(message), field: toRefusedField(message) })),
    forecast,
  };
}
