import type { Redis } from 'ioredis';
import { defineCommand } from './script-call.ts';
import { createKeyList, type AnyKeys } from './script-keys.ts';
import type { AnswerOf, NamedKeys, OwnKeys, ScriptSpec } from './script-types.ts';

/** Most jobs of one step: more gain little, and let the others of the process wait. */
const MAX_JOBS = 16;

/** What the jobs of one step have in common. Made once and handed in again: the same object is what puts jobs together. */
export interface SharedPart<Named = AnyKeys> {
  keys: Named;
  fields: Record<string, string | number>;
}

/** One job of a step. */
interface GroupedJob<Named = AnyKeys> {
  /** Its own keys, the same ones for each job of the same shared part. */
  keys: Named;
  fields: unknown;
  /** Travels beside the fields, so that a long one is not packed twice. */
  text: string;
}

/** Does the step for one job, together with others that ask for it at the same moment. */
export type GroupCall<S extends ScriptSpec> = (
  shared: SharedPart<NamedKeys<S>>,
  job: GroupedJob<OwnKeys<S>>,
) => Promise<AnswerOf<S>>;

interface Waiting {
  shared: SharedPart;
  /** In the script's order. */
  keys: string[];
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
  spec: ScriptSpec,
  lua: string,
): (shared: SharedPart, job: GroupedJob) => Promise<unknown> {
  const run = defineCommand(redis, name, lua);
  const toSharedKeys = createKeyList(name, spec);
  const toOwnKeys = createKeyList(name, spec.own ?? { keys: [] });
  const sharedKeys = new WeakMap<SharedPart, string[]>();
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
    const args = [...(sharedKeys.get(shared) ?? [])];
    const counts = { keys: args.length, own: calls[0]?.keys.length ?? 0 };
    for (const { keys } of calls) args.push(...keys);
    const keyCount = args.length;
    args.push(JSON.stringify([{ ...shared.fields, ...counts }, calls.map(({ job }) => job.fields)]));
    for (const { job } of calls) args.push(job.text);
    run(keyCount, args).then(
      (answers) => calls.forEach((call, at) => call.resolve((answers as unknown[])[at] ?? null)),
      (error: Error) => calls.forEach((call) => call.reject(error)),
    );
  }

  return (shared, job) =>
    new Promise((resolve, reject) => {
      if (!sharedKeys.has(shared)) sharedKeys.set(shared, toSharedKeys(shared.keys));
      const keys = toOwnKeys(job.keys);
      // After every reply that came in with the same packet has been acted on.
      if (waiting.length === 0) process.nextTick(flush);
      waiting.push({ shared, keys, job, resolve, reject });
    });
}
