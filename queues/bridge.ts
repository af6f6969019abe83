import { z } from 'zod';

/** How another program stored a task: as JSON, as a hash, or as a hash whose id lies in a list of its type (`V2`). */
const OLD_TASK_FORMS = ['string', 'hash', 'v2'] as const;
export type OldTaskForm = (typeof OLD_TASK_FORMS)[number];

/** Of a task that came through the bridge: whom it is answered to. */
export interface BridgeStamp {
  /** The other program's id: key suffix of `task:<id>`. It may hold any characters. */
  task: string;
  form: OldTaskForm;
  /** Its type, as the other program named it. Absent: none. */
  type?: string | undefined;
  /** The memory shard that it was posted to. Absent: none. */
  shard?: string | undefined;
  /** Why no worker can do it. Absent: none. */
  problem?: string | undefined;
}

/** The stamp in a job's stored data. Another version or program may have stored anything: it counts as none. */
export const bridgeStampSchema = z
  .object({
    task: z.string().min(1),
    form: z.enum(OLD_TASK_FORMS),
    type: z.string().optional(),
    shard: z.string().optional(),
    problem: z.string().optional(),
  })
  .optional()
  .catch(undefined);
