import type { z } from 'zod';

/** What a queue carries, and how long one job of it may take. Pure data: it opens nothing and may be imported anywhere. */
export interface QueueDefinition<
  Name extends string = string,
  JobName extends string = string,
  Input extends z.ZodObject = z.ZodObject,
  Data extends z.ZodObject = z.ZodObject,
  Result extends z.ZodType = z.ZodType,
> {
  /** BullMQ queue name: lower case, no `:`. */
  name: Name;
  /** The one job name this queue knows; any other fails at once. */
  jobName: JobName;
  /** What a caller may enqueue: strict, an unknown key is an error. */
  input: Input;
  /** What a job holds once enqueued: `input` and the fleet's stamps; tolerant of unknown keys, so that versions mix. */
  data: Data;
  /** What the job returns. Small: BullMQ copies it into the events stream. */
  result: Result;
  /** Tries in all, the first included. 1 means that nothing is retried silently. */
  attempts: number;
  /** Wall-clock limit of one run of the processor; then its AbortSignal fires. */
  timeoutMs: number;
  keep: {
    /** Completed jobs stay this long at most (seconds), and this many at most. */
    completed: { age: number; count: number };
    failed: { age: number; count: number };
  };
}

/** Returns its argument with the literal types kept, so that payloads and names are checked by the compiler. */
export function defineQueue<
  const Name extends string,
  const JobName extends string,
  Input extends z.ZodObject,
  Data extends z.ZodObject,
  Result extends z.ZodType,
>(
  definition: QueueDefinition<Name, JobName, Input, Data, Result>,
): QueueDefinition<Name, JobName, Input, Data, Result> {
  return definition;
}
