import type { ArchiveInput } from '../../queues/archive.ts';
import type { TaskHandle } from '../tasks/types.ts';

/** What a question may say besides its words. */
export interface AskOptions extends Omit<ArchiveInput, 'question'> {
  /** The query's id; one of this id that exists is reported, never asked twice. Default: a fresh random one. */
  queryId?: string;
}

/**
 * One question on its way. `finding()` is the answer as it is stored, with `citations`; `result()` its text, with the ids
 * of its sources in square brackets, or `NOT IN ARCHIVE`.
 */
export interface QueryHandle extends TaskHandle<string> {
  queryId: string;
}
