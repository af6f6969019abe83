import { createTaskHandle, type HandleParts } from './task-handle.ts';
import { withRedisErrors } from '../redis/connect.ts';
import type { AskOptions, QueryHandle } from './types.ts';
import { addQuery } from '../librarian/queries/enqueue.ts';

/** Creates the `ask` of a connected fleet. @param parts those of the archive's queue */
export function createFleetAsk(
  parts: HandleParts & { currentSession: () => Promise<string> },
): (question: string, options?: AskOptions) => Promise<QueryHandle> {
  return async (question, { queryId, ...more } = {}) => {
    const enqueued = await withRedisErrors(parts.redisUrl, async () =>
      addQuery(
        { db: parts.db, queue: parts.queues[parts.queueName] },
        { ...more, question },
        { queryId, session: await parts.currentSession() },
      ),
    );
    const { jobId: id, findingId, added, state } = enqueued;
    const handle = createTaskHandle(parts, { id, added, state, wantedFindingId: findingId }, String);
    return { ...handle, queryId: enqueued.queryId };
  };
}
