import { JobFailedError, NotFoundError, UsageError } from '../../errors.ts';
import { toMissionFindingId } from '../../coordinator/mission/id.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { McpSession } from '../tool/types.ts';
import { toQueueNames } from './queue-names.ts';
import { readWork } from './read-work.ts';

/**
 * The finding of this id, or that of the job of this id.
 * @throws NotFoundError if there is neither; UsageError while the job has not ended; JobFailedError if it failed
 */
export async function findFinding({ findings, inner }: McpSession['fleet'], id: string): Promise<StoredFinding> {
  const { db } = inner;
  const direct = await findings.get(id);
  if (direct !== null) return direct;
  const queue = (await toQueueNames(db, [id])).get(id) ?? 'tasks';
  const [work] = await readWork(db, queue, [id]);
  const findingId = queue === 'missions' ? toMissionFindingId(id) : (work?.findingId ?? '');
  const finding = await findings.get(findingId);
  if (finding !== null) return finding;
  if (work?.state === 'cancelled') {
    throw new JobFailedError(id, 'cancelled: cancelled by a person; the tool retry runs it after all');
  }
  if (work?.state === 'failed') {
    throw new JobFailedError(id, `${work.reason}; the tool failed says why and how to repair it`);
  }
  if (work === undefined || work.state === 'missing' || work.state === 'done') {
    throw new NotFoundError(
      `result: there is no job and no finding ${JSON.stringify(toOneLine(id, 100))}; status lists the newest batches`,
    );
  }
  throw new UsageError(`result: ${id} has not ended (${work.state}); call wait first`);
}
