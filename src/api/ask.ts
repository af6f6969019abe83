import { createTaskHandle, type HandleParts, type AddCheck } from './task-handle.ts';
import { assertOptions, namesOf } from './given/options.ts';
import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import type { AskOptions, QueryHandle } from './types.ts';
import { SwarmRefusedError } from '../errors.ts';
import type { OtherSwarms } from '../other-swarms/types.ts';
import { addQuery } from '../librarian/queries/enqueue.ts';

const ASK = namesOf<AskOptions>({
  requester: true,
  filter: true,
  mission_id: true,
  batch: true,
  allow_fallback: true,
  paper: true,
  shard: true,
  context: true,
  queryId: true,
});

/** Creates the `ask` of a connected fleet. @param parts those of the archive's queue */
export function createFleetAsk(
  parts: HandleParts &
    AddCheck & { currentSession: () => Promise<string>; client?: string | undefined; others: OtherSwarms },
): (question: string, options?: AskOptions) => Promise<QueryHandle> {
  return async (question, options = {}) => {
    assertOptions('ask', options, ASK);
    await assertReadable(parts.others, options.filter?.swarm);
    const { queryId, ...more } = options;
    const enqueued = await withRedisErrors(parts.redisUrl, async () => {
      await parts.assertMayAdd();
      return addQuery(
        { db: parts.db, queue: parts.queues[parts.queueName] },
        { ...more, question },
        { queryId, session: await parts.currentSession(), client: parts.client },
      );
    });
    const { jobId: id, findingId, added, state } = enqueued;
    const handle = createTaskHandle(parts, { id, added, state, wantedFindingId: findingId }, String);
    return { ...handle, queryId: enqueued.queryId };
  };
}

/**
 * Checks before a question is added that the other swarm can be read. Of `all`, those that cannot are left out of the answer.
 * @throws SwarmRefusedError with the rule
 */
export async function assertReadable(others: OtherSwarms, swarm: string | undefined): Promise<void> {
  if (swarm === undefined) return;
  if (swarm !== 'all') return void (await others.open(swarm));
  if (others.names().length > 0) return;
  throw new SwarmRefusedError('all', 'not-read-here', 'swarm all: FLEET_READ_SWARMS names no other swarm to read');
}
