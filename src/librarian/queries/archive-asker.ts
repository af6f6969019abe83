import { createHash } from 'node:crypto';
import type { Queue } from 'bullmq';
import { archiveQueue, type ArchiveFilter } from '../../../queues/archive.ts';
import { toOwner, type Owner } from '../../../queues/owner.ts';
import { HaltError, ShutdownError } from '../../errors.ts';
import { describeHalt } from '../../halt/halt.ts';
import { createJobEnds } from '../../jobs/state/job-ends.ts';
import type { Db } from '../../redis/db.ts';
import { readBlocker } from '../../jobs/state/blocked.ts';
import { readJob } from '../../jobs/state/states.ts';
import { addQuery } from './enqueue.ts';

/** A question that a task asks. */
interface TaskQuestion extends Owner {
  question: string;
  filter: ArchiveFilter;
  /** The asking task's job. The same question of the same job is asked once, however often its tools run. */
  jobId: string;
  session: string;
  batch: string | null;
  missionId: string | null;
  /** The vendors that may see the question, and what is drawn from the answer. Null: all. */
  vendors: readonly string[] | null;
  /** True once the asking worker shuts down. */
  isDraining(): boolean;
}

/** What a task gets for its question. */
export type QueryReply =
  /** `simulated`: those of its citations that are of another swarm whose work is simulated. */
  | { kind: 'answer'; text: string; citations: string[]; simulated?: string[] }
  /** The query failed, with this reason: `word: text`. */
  | { kind: 'failed'; reason: string }
  /** No answer while the task may wait. The query stays in the queue; the next to ask the same gets its answer. */
  | { kind: 'later' };

/** Asks the archive for tasks. */
export interface ArchiveAsker {
  /**
   * Waits for the answer at most 90 s, and not at all once the query waits for a shard's reset.
   * @throws the signal's reason; HaltError and ShutdownError: the task goes back to waiting, and its next run gets the
   *   same answer
   */
  ask(question: TaskQuestion, signal: AbortSignal): Promise<QueryReply>;
  close(): Promise<void>;
}

/** The longest that a task holds its slot for an answer. */
const MAX_WAIT_MS = 90_000;
const LOOK_EVERY_MS = 1_000;

export function createArchiveAsker(parts: { db: Db; queue: Queue; url: string }): ArchiveAsker {
  const { db, queue, url } = parts;
  const ends = createJobEnds({ db, queue: queue.name, url });

  return {
    async ask(asked, signal) {
      const { queryId, input } = toQuery(asked);
      const { jobId, findingId } = await addQuery(parts, input, {
        queryId,
        session: asked.session,
        client: asked.client,
        vendors: asked.vendors,
      });
      for (const end = performance.now() + MAX_WAIT_MS; performance.now() < end;) {
        const ended = await ends.wait(jobId, { findingId, timeoutMs: LOOK_EVERY_MS, signal });
        signal.throwIfAborted();
        if (ended?.state === 'completed') {
          const { result, citations, simulated_citations: simulated = [] } = ended.finding;
          const text = typeof result === 'string' ? result : JSON.stringify(result);
          return { kind: 'answer', text, citations, simulated };
        }
        if (ended?.state === 'failed') return { kind: 'failed', reason: ended.reason };
        if (asked.isDraining()) throw new ShutdownError('this process goes away');
        if (await isBlocked(db, jobId)) break;
      }
      return { kind: 'later' };
    },
    close: () => ends.close(),
  };
}

function toQuery({ question, filter, jobId, batch, missionId, shard }: TaskQuestion) {
  const hash = createHash('sha256').update(JSON.stringify([jobId, question, filter]));
  return {
    queryId: `task-${hash.digest('hex').slice(0, 20)}`,
    input: {
      question,
      requester: `task ${jobId}`.slice(0, 200),
      filter,
      ...(batch === null ? {} : { batch }),
      ...(missionId === null ? {} : { mission_id: missionId }),
      ...toOwner({ shard }),
    },
  };
}

/** @throws HaltError */
async function isBlocked(db: Db, id: string): Promise<boolean> {
  const { state } = await readJob(db, archiveQueue.name, id);
  const blocker = await readBlocker(db, { queue: archiveQueue.name, id, state });
  if (blocker?.kind === 'halted') throw new HaltError(describeHalt(blocker.halt));
  return blocker !== null && blocker.kind !== 'no-worker'; // a librarian may start within the wait
}
