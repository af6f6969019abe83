import { tasksQueue } from '../../queues/tasks.ts';
import { toFindingId } from '../findings/finding.ts';
import { answerWithFailure } from '../jobs/outcomes/old-failure.ts';
import { readEnds } from '../jobs/state/states.ts';
import type { Db } from '../redis/db.ts';
import { isResultOf, noteEnd, parseEnd } from './ends.ts';
import type { OldTask } from './old-task.ts';

/**
 * Answers tasks that are posted again, and whose answer their program has removed, or another text of their id has replaced: with the
 * same finding or error, also where another program's worker had found it. Nothing runs again.
 * @returns how many were answered
 */
export async function answerAgain(db: Db, tasks: readonly OldTask[]): Promise<number> {
  const { redis, keys } = db;
  if (tasks.length === 0) return 0;
  let answered = 0;
  const ends = await readEnds(
    db,
    tasksQueue.name,
    tasks.map(({ jobId }) => jobId),
  );
  for (const [i, { jobId, stamp }] of tasks.entries()) {
    const { task: id } = stamp;
    const resultKey = keys.oldTask(id, 'result');
    const [own, ended, results] = await Promise.all([
      redis.exists(keys.finding(toFindingId(jobId))),
      redis.hget(keys.bridge('ends'), id),
      redis.mget(resultKey),
    ]);
    const job = ends[i] ?? { state: 'unknown' };
    const last = parseEnd(ended);
    const result = results[0] ?? null;
    const elsewhere = (job.state === 'completed' ? job.findingId : null) ?? (last.job === jobId ? last.result : '');
    const findingId = own === 1 ? toFindingId(jobId) : elsewhere;
    if (isResultOf(jobId, result, last)) continue;
    if (findingId !== '') {
      await noteEnd(db, id, { job: jobId, by: last.by, result: findingId }); // first: no other text of this id may take the result for its own
      const isSet = await (result === null ? redis.set(resultKey, findingId, 'NX') : redis.set(resultKey, findingId));
      if (isSet === null) continue;
      await redis.publish(keys.channelCompletions, id);
      answered += 1;
    } else if (job.state === 'failed' && (await redis.exists(keys.oldTask(id, 'error'))) === 0) {
      const [, reason = 'error', text = job.reason] = /^([a-z][a-z0-9-]*): ?(.*)$/s.exec(job.reason) ?? [];
      await answerWithFailure(db, { oldId: id, jobId, reason, text });
      answered += 1;
    }
  }
  return answered;
}
