import type { TaskData } from '../../../queues/tasks.ts';
import type { TaskIdentity } from '../../ledger/types.ts';
import { formatCost } from '../../pricing/free-local.ts';
import { toOneLine } from '../../text/one-line.ts';

const LONGEST_SUBJECT = 72;
/** What the work cost, nano-dollars. Null: nobody measured it. */
export interface CommitCost {
  nanoUsd: number | null;
  /** Whether the model costs nothing a token. Default false. */
  isLocal?: boolean;
}

const TRAILER = /^Fleet-(?:Task|Model|Cost): .*\n?/gm;

/**
 * Writes the messages of commits that hold what a task changed; each says whose work it is and what that cost.
 * @param carried ids of the tasks whose changes are in it, too
 */
export function createCommitMessages(
  { description }: Pick<TaskData, 'description'>,
  { jobId, model }: Pick<TaskIdentity, 'jobId' | 'model'>,
  { nanoUsd, isLocal = false }: CommitCost,
  carried: readonly string[],
): { message: string; toMessage(own: string): string } {
  const trailers = [
    ...[jobId, ...carried].map((id) => `Fleet-Task: ${id}`),
    `Fleet-Model: ${model}`,
    `Fleet-Cost: ${nanoUsd === null ? 'unmetered' : formatCost(nanoUsd, 6, isLocal)}`,
  ].join('\n');
  const [about = ''] = description.trim().split(/\n\s*\n/, 1); // what follows may be the fleet's own
  return {
    message: `${toOneLine(about, LONGEST_SUBJECT)}\n\n${trailers}\n`,
    toMessage: (own) => `${own.replaceAll(TRAILER, '').trimEnd()}\n\n${trailers}\n`,
  };
}
