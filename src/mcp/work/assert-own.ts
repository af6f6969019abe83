import type { QueueName } from '../../../queues/registry.ts';
import { UsageError } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import { parseRecord } from '../../redis/stored-record.ts';
import type { McpSession } from '../tool/types.ts';
import { toQueueNames } from './queue-names.ts';
import type { WorkTarget } from './types.ts';

/**
 * Holds a client of role `delegate` to its own work. A batch is that of the client that named it first; one that does not exist
 * is nobody's.
 * @throws UsageError naming a job or batch of another owner
 */
export async function assertOwn(session: McpSession, tool: string, target: WorkTarget): Promise<void> {
  const { client, role } = session;
  if (client === null || role !== 'delegate') return;
  const check = (what: string, owner: string | null | undefined): void => {
    if (owner === undefined || owner === client) return;
    const whose = owner === null ? 'of no client' : `of client ${owner}`;
    throw new UsageError(
      `${tool}: ${what} is ${whose}; a token of role delegate changes only its own work; choose another name or id`,
    );
  };
  if ('batch' in target) return check(`batch ${target.batch}`, await readBatchOwner(session, target.batch));
  const names = await toQueueNames(session.fleet.inner.db, target.ids);
  for (const id of target.ids) check(id, await readOwner(session, names.get(id) ?? 'tasks', id));
}

/** @returns null: no client's, also where a version before loaded it; undefined: there is no such batch */
async function readBatchOwner({ fleet }: McpSession, batch: string): Promise<string | null | undefined> {
  const { redis, keys } = fleet.inner.db;
  const [exists, owner] = await Promise.all([
    redis.exists(keys.batch(batch), keys.indexByBatch(batch)), // the second outlives the first
    redis.hget(keys.batch(batch), 'client'),
  ]);
  return exists === 0 ? undefined : owner === null || owner === '' ? null : owner;
}

/** @returns null: no client's; undefined: there is no such job, and no finding of it */
async function readOwner({ fleet }: McpSession, queue: QueueName, id: string): Promise<string | null | undefined> {
  const { redis, keys } = fleet.inner.db;
  const data = await redis.hget(keys.queueKey(queue, id), 'data');
  const record = data === null ? await fleet.findings.get(toFindingId(id)) : (parseRecord(data) ?? {});
  if (record === null) return undefined;
  const client: unknown = Reflect.get(record, 'client');
  return typeof client === 'string' ? client : null;
}
