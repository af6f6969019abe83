import type { Db } from './db.ts';

/** Life of a claim on a task of another program. Source: the original's workers. */
export const OLD_CLAIM_SECONDS = 300;
/** Life of the claim on a finished task while other programs listen. */
const KEEP_SECONDS = 24 * 3600;

/**
 * Whether another program listens for tasks. Each bridge listens to a channel of its own, too. In a cluster, Redis counts only the
 * listeners of the same node. Where the user of the connection may not ask, there may be one.
 */
async function hasForeignListener({ redis, keys }: Db): Promise<boolean> {
  try {
    const [, all, , own] = await redis.pubsub('NUMSUB', keys.channelTasks, keys.channelBridge);
    return Number(all) > Number(own);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('NOPERM')) return true;
    throw error;
  }
}

/**
 * How long the claim on a finished task stays, seconds. An old worker that hears late of a task, after it was frozen, runs it again
 * if nobody has claimed it: it never looks for a result.
 */
async function readKeepSeconds(db: Db): Promise<number> {
  return (await hasForeignListener(db)) ? KEEP_SECONDS : OLD_CLAIM_SECONDS;
}

/** What `finish-task.lua` needs to answer a task of another program. */
export async function toOldEnd(db: Db, id: string) {
  const { keys } = db;
  return {
    keys: {
      oldResult: keys.oldTask(id, 'result'),
      oldClaimed: keys.oldTask(id, 'claimed'),
      oldError: keys.oldTask(id, 'error'),
      oldEnds: keys.bridge('ends'),
      oldClaims: keys.bridge('claims'),
    },
    fields: { id, keep_seconds: await readKeepSeconds(db) },
  };
}
