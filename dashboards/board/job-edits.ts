import { queueRegistry, type QueueName } from '../../queues/registry.ts';
import { UsageError } from '../../src/errors.ts';
import { checkTask } from '../../src/tasks/check.ts';
import { readKnownNames } from '../../src/tasks/known-names.ts';
import { checkInput } from '../../src/jobs/check-input.ts';
import type { Db } from '../../src/redis/db.ts';

type JobData = Record<string, unknown>;

export interface JobChecks {
  /** @throws UsageError naming the rule that new job data breaks */
  checkNew(queue: QueueName, data: unknown): Promise<void>;
  /** @throws UsageError naming the rule that an edit breaks */
  checkEdit(queue: QueueName, before: JobData, after: unknown): Promise<void>;
}

/** The rules of enqueuing, for data that a person types into a page. */
export function createJobChecks(db: Db, workspaces: string[]): JobChecks {
  async function checkNew(queue: QueueName, data: unknown): Promise<void> {
    if (queue === 'tasks') {
      checkTask(data, await readKnownNames(db, workspaces));
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
        // Costs, batches and results are counted under these.
        if (!isSame(before[name], data[name]))
          throw new UsageError(`${name}: stamped when enqueued, it cannot be edited`);
      }
      // Keys of another version of the fleet stay as they were; a new one is a typing mistake.
      const foreign = Object.keys(before).filter((name) => !(name in stamped.shape));
      const kept = new Set([...stamps, ...foreign.filter((name) => name in data)]);
      await checkNew(queue, Object.fromEntries(Object.entries(data).filter(([name]) => !kept.has(name))));
    },
  };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
