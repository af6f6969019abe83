import type { z } from 'zod';

/** A queue's payloads and limits. Pure data: it opens no connection, and every room may import it. */
export interface QueueDefinition<
  Name extends string = string,
  JobName extends string = string,
  Input extends z.ZodObject = z.ZodObject,
  Data extends z.ZodObject = z.ZodObject,
  Result extends z.ZodType = z.ZodType,
> {
  /** BullMQ queue name: lower case, no `:`. */
  name: Name;
  /** The only job name of this queue. A job with another name fails at once. */
  jobName: JobName;
  /** What a caller may enqueue: strict, an unknown key is an error. */
  input: Input;
  /**
   * What a job holds once enqueued: `input` and the fleet's stamps. Unknown keys are ignored, so that processes of two
   * versions can share a queue.
   */
  data: Data;
  /** What the job returns. Small: BullMQ copies it into the events stream. */
  result: Result;
  /** Attempts in all, the first included. 1: BullMQ retries no failure. */
  attempts: number;
  /** Longest run of the processor, ms of wall-clock time. Then its AbortSignal fires. */
  timeoutMs: number;
  /** Jobs that BullMQ keeps after their end: `age` in seconds and `count` in jobs, both at most. */
  keep: {
    completed: { age: number; count: number };
    failed: { age: number; count: number };
  };
}

/** Returns its argument and keeps its literal types, so that the compiler checks payloads and names. */
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
