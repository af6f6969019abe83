import type { Redis } from 'ioredis';
import { defineCommand } from './script-call.ts';

/** Most jobs of one step: more gain little, and let the others of the process wait. */
const MAX_JOBS = 16;

/** What the jobs of one step have in common. Made once and handed in again: the same object is what puts jobs together. */
export interface SharedPart {
  keys: string[];
  fields: Record<string, string | number>;
}

/** One job of a step. */
export interface GroupedJob {
  /** Its own keys, as many for each job of the same shared part. */
  keys: string[];
  fields: unknown;
  /** Travels beside the fields, so that a long one is not packed twice. */
  text: string;
}

interface Waiting {
  shared: SharedPart;
  job: GroupedJob;
  resolve: (answer: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * Does one step for all jobs that ask for it in the same turn of the event loop, where they share what they book to. A busy
 * worker has dozens at once, and then a total is added to once instead of once a job. A lone job goes out alone.
 */
export function groupCalls(
  redis: Redis,
  name: string,
  lua: string,
): (shared: SharedPart, job: GroupedJob) => Promise<unknown> {
  const run = defineCommand(redis, name, lua);
  let waiting: Waiting[] = [];

  function flush(): void {
    const groups = new Map<SharedPart, Waiting[]>();
    for (const call of waiting) {
      const group = groups.get(call.shared);
      if (group === undefined) groups.set(call.shared, [call]);
      else group.push(call);
    }
    waiting = [];
    for (const [shared, calls] of groups) {
      for (let from = 0; from < calls.length; from += MAX_JOBS) send(shared, calls.slice(from, from + MAX_JOBS));
    }
  }

  function send(shared: SharedPart, calls: Waiting[]): void {
    const own = calls[0]?.job.keys.length ?? 0;
    const fields = [{ ...shared.fields, keys: shared.keys.length, own }, calls.map(({ job }) => job.fields)];
    const args: string[] = [...shared.keys];
    for (const { job } of calls) args.push(...job.keys);
    const keyCount = args.length;
    args.push(JSON.stringify(fields));
    for (const { job } of calls) args.push(job.text);
    run(keyCount, args).then(
      (answers) => calls.forEach((call, at) => call.resolve((answers as unknown[])[at] ?? null)),
      (error: Error) => calls.forEach((call) => call.reject(error)),
    );
  }

  return (shared, job) =>
    new Promise((resolve, reject) => {
      // After every reply that came in with the same packet has been acted on.
      if (waiting.length === 0) process.nextTick(flush);
      waiting.push({ shared, job, resolve, reject });
    });
}
