import type { Redis } from 'ioredis';
import { defineCommand } from './script-file.ts';
import { createKeyList, type AnyKeys } from './script-keys.ts';
import type { AnswerOf, NamedKeys, OwnKeys, ScriptSpec } from './script-types.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';

/** Most jobs of one step: more jobs save little, and delay the other calls of the process. */
const MAX_JOBS = 16;

/** The common part of the jobs of one step. Jobs with the same object are sent together, so that a caller makes it once. */
export interface SharedPart<Named = AnyKeys> {
  keys: Named;
  fields: Record<string, string | number>;
}

/** One job of a step. */
interface GroupedJob<Named = AnyKeys> {
  /** Its own keys, the same ones for each job of the same shared part. */
  keys: Named;
  /** JSON, of `toWellFormedJson`. */
  fields: string;
  /** Sent apart from the fields, so that a long text is not encoded twice. */
  text: string;
}

/** Does the step for one job, together with other jobs of the same moment. */
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
 * Does one step for all calls of the same turn of the event loop that have the same shared part. A busy worker has dozens at
 * once; a total is then increased once instead of once a job. A single job is sent alone.
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
    const first = toWellFormedJson({ ...shared.fields, ...counts });
    args.push(`[${first},[${calls.map(({ job }) => job.fields).join()}]]`);
    for (const { job } of calls) args.push(job.text);
    run(keyCount, args).then(
      (answers) => calls.forEach((call, i) => call.resolve((answers as unknown[])[i] ?? null)),
      (error: Error) => calls.forEach((call) => call.reject(error)),
    );
  }

  return (shared, job) =>
    new Promise((resolve, reject) => {
      if (!sharedKeys.has(shared)) sharedKeys.set(shared, toSharedKeys(shared.keys));
      const keys = toOwnKeys(job.keys);
      // Runs after all replies of the same packet are handled, so that their calls are sent together.
      if (waiting.length === 0) process.nextTick(flush);
      waiting.push({ shared, keys, job, resolve, reject });
    });
}
