import type { Job, Queue } from 'bullmq';
import type { Db } from '../../../src/redis/db.ts';
import { waitUntil } from '../wait.ts';

/** What a test asks about the jobs of the tasks queue. */
export interface TaskJobs {
  /** The job as BullMQ has it. @throws Error where there is no such job */
  bullJob(id: string): Promise<Job>;
  /** Waits until the job is in this state. @throws Error with the state it is in, and why it failed */
  until(id: string, state: string, timeoutMs?: number): Promise<Job>;
  /** The job's log, a line a turn or wait. */
  logs(id: string): Promise<string>;
  /** The counters of the swarm, which the status shows. */
  counters(): Promise<Record<string, string>>;
}

export function createTaskJobs({ redis, keys }: Db, queue: () => Queue): TaskJobs {
  async function bullJob(id: string): Promise<Job> {
    const found = await queue().getJob(id);
    if (found === undefined) throw new Error(`there is no job ${id}`);
    return found;
  }

  return {
    bullJob,
    async until(id, state, timeoutMs = 15_000) {
      const isReached = async (): Promise<boolean> => (await queue().getJobState(id)) === state;
      await waitUntil(isReached, { timeoutMs, what: `${id} is ${state}`, orElse: () => false });
      const found = await bullJob(id);
      const now = await queue().getJobState(id);
      if (now !== state) throw new Error(`${id}: expected ${state}, is ${now}: ${found.failedReason}`);
      return found;
    },
    logs: async (id) => (await queue().getJobLogs(id)).logs.join('\n'),
    counters: () => redis.hgetall(keys.counters),
  };
}
