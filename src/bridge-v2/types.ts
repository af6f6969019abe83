import type { Queue } from 'bullmq';
import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';

/** What serves the second version of the old programs. */
export interface V2Parts {
  db: Db;
  queues: { tasks: Queue; archive: Queue };
  /** Name of the workspace in which tasks of other programs work; null: none. */
  workspace: string | null;
  /** The vendors that may see what is in it. Null: all. */
  vendors: readonly string[] | null;
  log: Logger;
  currentSession(): Promise<string>;
}
