import { toTaskFor } from '../jobs/offer.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { describeOutsideRule } from './held-back.ts';
import type { ClaimOptions } from './types.ts';

/** Of the oldest offers; each further page is larger, because its filter has found none before. */
const PAGES = [20, 200, 1_000] as const;
/** Most offers that one claim looks through. */
const MOST = 50_000;
/** An offer without a job is of a task that is just being added. */
const NEW_MS = 60_000;

export interface Filter extends Pick<ClaimOptions, 'kind' | 'batch' | 'shard'> {
  /** Only tasks of these workspaces, and those without one. Default: of any. */
  workspaces?: readonly string[];
}

/** What may not leave its workspace. */
interface HeldBack {
  /** The vendors that may see what is in a workspace, by its name. */
  vendors: Readonly<Record<string, readonly string[]>>;
  /** Is given the ids of offered tasks that fit, and may not leave. */
  ids: Set<string>;
}

/** Yields ids of offered tasks that fit, the oldest offers first. Offers of tasks that have ended are forgotten. */
export async function* findCandidates(db: Db, filter: Filter, heldBack: HeldBack): AsyncGenerator<string[]> {
  const { redis, keys } = db;
  const missions = new Map<string, boolean>();
  let from = 0;
  for (let page = 0; from < MOST; page += 1) {
    const size = PAGES[Math.min(page, PAGES.length - 1)] ?? 1_000;
    const ids = await redis.zrange(keys.offered, String(from), String(from + size - 1));
    const { fit, gone } = await pickFitting(db, ids, { ...filter, heldBack }, missions);
    from += ids.length - gone;
    if (fit.length > 0) yield fit;
    if (ids.length < size) return;
  }
}

async function pickFitting(
  db: Db,
  ids: readonly string[],
  { kind, batch, shard, workspaces, heldBack }: Filter & { heldBack: HeldBack },
  missions: Map<string, boolean>,
): Promise<{ fit: string[]; gone: number }> {
  const { redis, keys, clock } = db;
  const wanted = batch === undefined ? ids : ids.filter((id) => id.startsWith(`${batch}-`)); // as `toTaskId` names them
  if (wanted.length === 0) return { fit: [], gone: 0 };
  const chain = redis.pipeline();
  for (const id of wanted) chain.hmget(keys.queueKey('tasks', id), 'data', 'finishedOn').zscore(keys.offered, id);
  const replies = (await chain.exec()) ?? [];
  const fit: string[] = [];
  const gone: string[] = [];
  for (const [i, id] of wanted.entries()) {
    const [data = null, finishedOn = null] = (replies[2 * i]?.[1] ?? []) as (string | null)[];
    const isNew = Number(replies[2 * i + 1]?.[1] ?? 0) > clock.now() - NEW_MS;
    const task = (parseRecord(data) ?? {}) as Record<string, unknown>;
    if (data === null ? !isNew : finishedOn !== null || toTaskFor(task) === 'fleet') gone.push(id);
    else if (data === null || (kind !== undefined && (task['kind'] ?? 'other') !== kind)) continue;
    else if ((batch ?? task['batch']) !== task['batch'] || (shard ?? task['shard']) !== task['shard']) continue;
    else if (workspaces !== undefined && !isIn(workspaces, task['workspace'])) continue;
    else if (describeOutsideRule(task, heldBack.vendors) !== null) heldBack.ids.add(id);
    else if (!(await isSetAside(db, task['mission_id'], missions))) fit.push(id);
  }
  if (gone.length > 0) await redis.zrem(keys.offered, ...gone);
  return { fit, gone: gone.length };
}

/** A task without a workspace can be done anywhere. */
function isIn(workspaces: readonly string[], name: unknown): boolean {
  return typeof name !== 'string' || workspaces.includes(name);
}

/** Whether a person parked the mission of a task: none of its tasks begins meanwhile. */
async function isSetAside({ redis, keys }: Db, mission: unknown, known: Map<string, boolean>): Promise<boolean> {
  if (typeof mission !== 'string') return false;
  const found = known.get(mission) ?? (await redis.hexists(keys.spend(`mission:${mission}`), 'parked')) === 1;
  known.set(mission, found);
  return found;
}
