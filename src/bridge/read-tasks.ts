import type { Db } from '../redis/db.ts';
import { startOf } from '../text/start-of.ts';
import { toOldTask, type OldTask, type OldTaskPlace, type StoredTask } from './old-task.ts';

/** Longest text that is looked at, bytes: a task is far smaller, and a longer one is refused with the rule. */
const LONGEST = 512 * 1024;

/**
 * Reads tasks by their ids; those that are gone are left out.
 * @param options.ofShards which tasks of memory shards it reads: none, the default; those that nobody has taken; all
 */
export async function readOldTasks(
  { db, workspace, root }: OldTaskPlace & { db: Db },
  ids: readonly string[],
  { ofShards = 'none' }: { ofShards?: 'none' | 'pending' | 'all' } = {},
): Promise<OldTask[]> {
  const stored = await readStoredTasks(db, ids);
  const tasks: OldTask[] = [];
  // A worker that has a task of a memory shard says so in the task's hash; it holds no claim.
  const isRead = ({ status = 'pending' }: Record<string, string>): boolean =>
    ofShards === 'all' || (ofShards === 'pending' && status === 'pending');
  for (const [i, id] of ids.entries()) {
    const one = stored[i] ?? null;
    if (one === null || (one.form === 'v2' && !isRead(one.fields))) continue;
    tasks.push(await toOldTask(id, one, { workspace, root }));
  }
  return tasks;
}

/** Reads what lies under `task:<id>`, in order. @returns null: nothing, or another program removed it meanwhile */
async function readStoredTasks({ redis, keys }: Db, ids: readonly string[]): Promise<(StoredTask | null)[]> {
  if (ids.length === 0) return [];
  const texts = redis.pipeline();
  for (const id of ids) texts.getrange(keys.oldTask(id), 0, LONGEST);
  const replies = (await texts.exec()) ?? [];
  const found: (StoredTask | null)[] = [];
  for (const [i, id] of ids.entries()) {
    const [error, text] = replies[i] ?? [];
    if (!error) found.push(typeof text === 'string' && text !== '' ? { form: 'string', text } : null);
    else if (error.message.startsWith('WRONGTYPE')) found.push(await readOther({ redis, keys }, id));
    else throw error;
  }
  return found;
}

async function readOther({ redis, keys }: Pick<Db, 'redis' | 'keys'>, id: string): Promise<StoredTask | null> {
  const key = keys.oldTask(id);
  const type = await redis.type(key);
  if (type === 'none') return null;
  if (type !== 'hash') return { form: 'other', holds: `a ${type}` };
  const fields = await redis.hgetall(key);
  const texts = Object.entries(fields).map(([name, text]) => [startOf(name, 1_000), startOf(text, LONGEST)]);
  if (texts.length === 0) return null;
  const form = 'parent_shard' in fields ? 'v2' : 'hash';
  return { form, fields: Object.fromEntries(texts) as Record<string, string> };
}
