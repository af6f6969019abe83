import { hash } from 'node:crypto';
import { toFindingId } from '../findings/finding.ts';
import { parseFinding, readFindingTexts, toSummary } from '../findings/stored.ts';
import { toLocalTimestamp } from '../findings/timestamp.ts';
import type { StoredFinding } from '../findings/types.ts';
import { readEnds } from '../jobs/state/states.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { stringifyExact } from '../text/exact-json.ts';
import { startOf } from '../text/start-of.ts';
import { toWellFormedJson } from '../text/well-formed.ts';
import { tasksQueue } from '../../queues/tasks.ts';

/** Longest reason in a task's hash, UTF-16 code units. */
const LONGEST_REASON = 1_000;

/** What is noted of a task that the fleet took (`claim-listed-task`). */
interface TakenTask {
  task: string;
  shard: string;
}

/** Tells the memory shards the results of those of their tasks that the fleet took. @returns how many were told */
export async function tellShards(db: Db): Promise<number> {
  const taken = Object.entries(await db.redis.hgetall(db.keys.bridge('listed')));
  if (taken.length === 0) return 0;
  const ends = await readEnds(
    db,
    tasksQueue.name,
    taken.map(([jobId]) => jobId),
  );
  let told = 0;
  for (const [i, [jobId, text]] of taken.entries()) {
    const end = ends[i] ?? { state: 'open' };
    const { task, shard, hasFailed } = { task: '', shard: '', hasFailed: false, ...parseRecord(text) };
    if (end.state === 'open' || (end.state === 'failed' && hasFailed)) continue;
    if (end.state === 'failed') await tellFailure(db, { jobId, task, shard, reason: end.reason });
    else {
      const findingId = (end.state === 'completed' ? end.findingId : null) ?? toFindingId(jobId);
      const [found = null] = await readFindingTexts(db, [findingId]);
      const finding = found === null ? null : parseFinding(findingId, found);
      if (finding === null) continue; // it is being added, or added again
      await tellResult(db, { jobId, task, shard, finding });
    }
    told += 1;
  }
  return told;
}

async function tellResult(
  { keys, scripts }: Db,
  { jobId, task, shard, finding }: TakenTask & { jobId: string; finding: StoredFinding },
): Promise<void> {
  const alias = toAlias(jobId);
  const { finding_id: of, result, citations, files_changed } = finding;
  const content = { summary: toSummary(finding), result, finding_id: of, citations, files_changed };
  const at = finding.timestamp ?? toLocalTimestamp(new Date(finding.at));
  await scripts['answer-listed-task'](
    {
      finding: keys.finding(alias),
      aliases: keys.aliases,
      findings: keys.oldShard(shard, 'findings'),
      task: keys.oldTask(task),
      listed: keys.bridge('listed'),
    },
    [toWellFormedJson([jobId, alias, of, task, finding.worker_id ?? '', at, stringifyExact(content)])],
  );
}

/** The note of the task stays: a retry by hand may answer it. */
async function tellFailure(
  { redis, keys, redact }: Db,
  { jobId, task, shard, reason }: TakenTask & { jobId: string; reason: string },
): Promise<void> {
  const key = keys.oldTask(task);
  if ((await redis.type(key)) === 'hash') {
    await redis.hset(key, { status: 'failed', error: startOf(redact(reason), LONGEST_REASON) });
  }
  await redis.hset(keys.bridge('listed'), jobId, JSON.stringify({ task, shard, hasFailed: true }));
}

/** The id under which a memory shard reads the finding: a hash, which the finding itself is not. */
function toAlias(jobId: string): string {
  return `finding_${hash('sha256', `alias ${jobId}`).slice(0, 16)}`;
}
