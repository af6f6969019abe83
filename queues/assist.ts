import { z } from 'zod';

/** Most assist tasks of one question. */
export const MOST_PEERS = 3;

/** Of an assist task: who asked. The fleet stamps it. */
export const assistStampSchema = z
  .object({
    /** Id of the asking task's job. */
    asker: z.string().min(1).max(200),
    /** Names the question among those of the asker. */
    call: z.string().regex(/^[0-9a-f]{1,40}$/),
    /** Which of the assist tasks of the question, from 1. */
    n: z.int().min(1).max(MOST_PEERS),
    /** The asker's batch pays for the task; it is none of the batch's tasks. */
    batch: z.string().optional(),
  })
  .optional()
  .catch(undefined);

export type AssistStamp = NonNullable<z.output<typeof assistStampSchema>>;

/** Characters of the asker's id that the ids of its assist tasks begin with. `call` alone distinguishes them. */
const SHOWN = 150;

/** Returns the job id of an assist task. The same question of the same task always gets the same ids. */
export function toAssistId({ asker, call, n }: Pick<AssistStamp, 'asker' | 'call' | 'n'>): string {
  return `${asker.slice(0, SHOWN)}-assist-${call}-${n}`;
}

/** Returns the stamp in a job's data, which any program may have written. Null: it is no assist task. */
export function readAssistStamp(data: unknown): AssistStamp | null {
  if (typeof data !== 'object' || data === null || !('assist' in data)) return null;
  return assistStampSchema.parse(data.assist) ?? null;
}
