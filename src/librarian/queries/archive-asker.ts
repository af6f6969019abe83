import { createHash } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { ArchiveFilter } from '../../../queues/archive.ts';
import { HaltError, ShutdownError } from '../../errors.ts';
import { describeHalt, parseHalt } from '../../halt/halt.ts';
import { createJobEnds } from '../../jobs/state/job-ends.ts';
import { addQuery } from './enqueue.ts';
import type { Db } from '../../redis/db.ts';

/** A task that asks, and what it asks. */
interface TaskQuestion {
  question: string;
  filter: ArchiveFilter;
  /** The asking task's job. The same question of the same job is asked once, however often its tools run. */
  jobId: string;
  session: string;
  batch: string | null;
  missionId: string | null;
  /** True once the asking worker goes away. */
  isDraining(): boolean;
}

export type ArchiveWord =
  | { kind: 'answer'; text: string; citations: string[] }
  /** The query ended without an answer: `word: text`. */
  | { kind: 'failed'; reason: string }
  /** Not within the time a task may hold its slot for it. The query goes on, and is answered for the next who asks. */
  | { kind: 'later' };

/** Asks the archive for tasks. */
export interface ArchiveAsker {
  /**
   * Waits for the answer, as long as one is on its way: a query that waits for a shard's reset is not waited for.
   * @throws HaltError, ShutdownError: the task goes back to waiting and asks again, for the same answer
   */
  ask(question: TaskQuestion, signal: AbortSignal): Promise<ArchiveWord>;
  close(): Promise<void>;
}

/** The longest a task holds its slot for an answer. */
const PATIENCE_MS = 90_000;
const LOOK_EVERY_MS = 1_000;

export function createArchiveAsker(parts: { db: Db; queue: Queue; url: string }): ArchiveAsker {
  const { db, queue, url } = parts;
  const { redis, keys } = db;
  const ends = createJobEnds({ db, queue: queue.name, url });

  async function isOnItsWay(jobId: string, isDraining: () => boolean): Promise<boolean> {
    if (isDraining()) throw new ShutdownError('this process goes away');
    const halt = await redis.get(keys.haltReason);
    if (halt !== null) throw new HaltError(describeHalt(parseHalt(halt)));
    return (await queue.getJobState(jobId)) !== 'delayed';
  }

  return {
    async ask({ question, filter, jobId: asker, session, batch, missionId, isDraining }, signal) {
      const input = {
        question,
        requester: `task ${asker}`.slice(0, 200),
        filter,
        ...(batch === null ? {} : { batch }),
        ...(missionId === null ? {} : { mission_id: missionId }),
      };
      const { jobId, findingId } = await addQuery(queue, input, {
        queryId: toQueryId(asker, question, filter),
        session,
      });
      for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
        const ended = await ends.wait(jobId, { findingId, timeoutMs: LOOK_EVERY_MS, signal });
        signal.throwIfAborted();
        if (ended?.state === 'completed') {
          const { result, citations } = ended.finding;
          return { kind: 'answer', text: typeof result === 'string' ? result : JSON.stringify(result), citations };
        }
        if (ended?.state === 'failed') return { kind: 'failed', reason: ended.reason };
        if (!(await isOnItsWay(jobId, isDraining))) break;
      }
      return { kind: 'later' };
    },
    close: () => ends.close(),
  };
}

function toQueryId(asker: string, question: string, filter: ArchiveFilter): string {
  const hash = createHash('sha256').update(JSON.stringify([asker, question, filter]));
  return `task-${hash.digest('hex').slice(0, 20)}`;
}
