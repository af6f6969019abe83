import { queueRegistry, type QueueName } from '../../queues/registry.ts';
import { UsageError } from '../../src/errors.ts';
import { checkTask } from '../../src/tasks/check.ts';
import { readKnownNames, type Configured } from '../../src/tasks/known-names.ts';
import { checkInput } from '../../src/jobs/check-input.ts';
import type { Db } from '../../src/redis/db.ts';

type JobData = Record<string, unknown>;

export interface JobChecks {
  /** Checks the data of a new job. @throws UsageError that names the broken rule */
  checkNew(queue: QueueName, data: unknown): Promise<void>;
  /** Checks an edit of a job's data. @throws UsageError that names the broken rule */
  checkEdit(queue: QueueName, before: JobData, after: unknown): Promise<void>;
}

/** Creates the checks of job data that a person enters in a page: the rules of enqueuing. */
export function createJobChecks(db: Db, configured: Configured): JobChecks {
  async function checkNew(queue: QueueName, data: unknown): Promise<void> {
    if (queue === 'tasks') {
      await checkTask(data, await readKnownNames(db, configured));
      return;
    }
    checkInput(queue, queueRegistry[queue].jobName, data, null);
  }

  return {
    checkNew,
    async checkEdit(queue, before, after) {
      if (typeof after !== 'object' || after === null || Array.isArray(after)) {
        throw new UsageError('data: expected an object');
      }
      const data: JobData = { ...after };
      const { input, data: stamped } = queueRegistry[queue];
      const stamps = Object.keys(stamped.shape).filter((name) => !(name in input.shape));
      for (const name of stamps) {
        // Costs, batches and results are booked by these fields.
        if (!isSame(before[name], data[name]))
          throw new UsageError(`${name}: stamped when enqueued, it cannot be edited`);
      }
      // Keys of another version of the fleet may stay. A new unknown key is a typing mistake.
      const foreign = Object.keys(before).filter((name) => !(name in stamped.shape));
      const kept = new Set([...stamps, ...foreign.filter((name) => name in data)]);
      await checkNew(queue, Object.fromEntries(Object.entries(data).filter(([name]) => !kept.has(name))));
    },
  };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
