import type { Logger } from '../../process/logger.ts';
import { missionsQueue } from '../../../queues/missions.ts';
import type { ChildParts } from '../mission/children.ts';
import { writeMission } from '../mission/record.ts';

/** So many of the newest missions are looked at. */
const NEWEST = 100;
/** A record is laid down before its job is added: younger ones may still get theirs. */
const YOUNG_MS = 60_000;

/** Marks missions as failed whose job has failed without a word (set apart, for example), or was removed. */
export async function markOrphaned(parts: ChildParts & { log: Logger; now(): Date }): Promise<void> {
  const { db, log, now } = parts;
  const { redis, keys } = db;
  const ids = await redis.zrevrangebyscore(keys.missions, now().getTime() - YOUNG_MS, '-inf', 'LIMIT', 0, NEWEST);
  if (ids.length === 0) return;
  const chain = redis.pipeline();
  for (const id of ids) {
    chain.hget(keys.mission(id), 'state');
    chain.hmget(keys.queueKey(missionsQueue.name, id), 'timestamp', 'finishedOn', 'failedReason');
  }
  const replies = (await chain.exec()) ?? [];
  for (const [at, id] of ids.entries()) {
    const state = replies[2 * at]?.[1];
    const [timestamp = null, finishedOn = null, failedReason = null] = (replies[2 * at + 1]?.[1] ?? []) as (
      | string
      | null
    )[];
    if (typeof state !== 'string' || state === 'done' || state === 'failed') continue;
    const problem = toProblem({ timestamp, finishedOn, failedReason });
    if (problem === null) continue;
    await writeMission(db, id, { state: 'failed', problem, endedAt: now().toISOString() }, now());
    log.warn({ mission: id, problem }, 'a mission had ended without a word');
  }
}

/** Null: its job is there and has not failed. */
function toProblem(job: {
  timestamp: string | null;
  finishedOn: string | null;
  failedReason: string | null;
}): string | null {
  if (job.timestamp === null) return 'removed: its job is not there any more';
  return job.finishedOn !== null && job.failedReason !== null ? job.failedReason : null;
}
