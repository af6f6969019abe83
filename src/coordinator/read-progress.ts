import { readStoredTurns, type ProgressReader } from '../jobs/worker/crash-count.ts';

/**
 * Where a mission stands: its stored replies, its step, the tasks it has put into the queue, the fields of its paper, and
 * how many summaries were made before it began.
 */
export const readMissionProgress: ProgressReader = async (db, id) => {
  const { redis, keys } = db;
  const [turns, [step, round, plan, recall, survey], added, paper, summaries] = await Promise.all([
    readStoredTurns(db, id),
    redis.hmget(keys.mission(id), 'step', 'round', 'plan', 'recall', 'survey'),
    redis.bitcount(keys.missionAdded(id)),
    redis.hlen(keys.paper(id)),
    redis.hget(keys.counters, 'summaries'),
  ]);
  const known = [plan, recall, survey].filter(Boolean).length;
  return [turns, step ?? '', round ?? 0, known, added, paper, known === 0 ? summaries : ''].join('/');
};
