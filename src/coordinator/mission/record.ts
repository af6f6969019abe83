import type { MissionData } from '../../../queues/missions.ts';
import { setBudget } from '../../ledger/budget.ts';
import {
  MISSION_STEPS,
  type Approval,
  type ChildCounts,
  type MarkedCounts,
  type MissionRecord,
  type MissionState,
  type MissionStep,
  type Recall,
  type Survey,
} from './types.ts';
import type { Answer } from '../calls/types.ts';
import type { Plan, PlanNode } from '../plan/plan.ts';
import type { Db } from '../../redis/db.ts';
import { hasFields, parseField, parseRecord, toStoredCount } from '../../redis/stored-record.ts';

/** A person's answers and approval are stored by `storeAnswer` and `approve-plan.lua`. */
export type MissionPatch = Partial<Omit<MissionRecord, 'counts' | 'answers' | 'approval'>> & { counts?: ChildCounts };

const NO_COUNTS: ChildCounts = { total: 0, added: 0, done: 0, failed: 0, cancelled: 0, skipped: 0 };
/** The fields that hold JSON, and what it must be: other programs may have written it. */
const SHAPES: Record<string, (value: unknown) => boolean> = {
  plan: (value) => value === null || hasFields(value, { tasks: 'list' }),
  nodes: (value) => Array.isArray(value) && value.every((node) => hasFields(node, NODE)),
  recall: (value) => isGap(value) || hasFields(value, { findingId: 'string', answer: 'string', citations: 'list' }),
  survey: (value) => isGap(value) || hasFields(value, { findingId: 'string', files: 'list', total: 'number' }),
  counts: (value) =>
    hasFields(value, { total: 'number', added: 'number', done: 'number', failed: 'number', skipped: 'number' }),
  approval: (value) => hasFields(value, { at: 'string', by: 'string', dropped: 'list', edited: 'boolean' }),
};
const isAnswer = (value: unknown): boolean =>
  hasFields(value, { n: 'number', at: 'string', by: 'string', problem: 'string', text: 'string' });
/** Why a recall or survey is missing. */
function isGap(value: unknown): boolean {
  return value === null || hasFields(value, { skipped: 'string' }) || hasFields(value, { failed: 'string' });
}
const NODE = { n: 'number', task: 'string', description: 'string', dependsOn: 'list' } as const;
const ANSWER_FIELD = 'answer:';

/**
 * Reads one mission. @returns null if there is no mission of this id
 * @throws FleetError if a field is no JSON, or of another shape: no step may plan, pay or answer on half a record
 */
export async function readMission({ redis, keys }: Db, id: string): Promise<MissionRecord | null> {
  const fields = await redis.hgetall(keys.mission(id));
  if (Object.keys(fields).length === 0) return null;
  return toRecord(id, fields, (damage) => {
    throw damage;
  });
}

/** Reads what a list or a page shows of a mission, without its plan: a few hundred bytes, however large the plan is. */
export async function readMissionHead(db: Db, id: string): Promise<MissionRecord | null> {
  const names = ['goal', 'session', 'workspace', 'state', 'step', 'round', 'added', 'counts', 'problem', 'createdAt'];
  const more = ['updatedAt', 'endedAt', 'finding', 'releases', 'partial', 'tool_errors', 'plannedAt', 'approval'];
  const all = [...names, ...more];
  const values = await readMissionFields(db, id, ...all);
  if (values[0] === null && values[3] === null) return null;
  return toRecord(
    id,
    Object.fromEntries(
      all.flatMap((name, i) => {
        const value = values[i] ?? null;
        return value === null ? [] : [[name, value]];
      }),
    ),
  );
}

/** Reads single fields of the hash as they are stored, in order. Null: there is no such field. */
export async function readMissionFields(
  { redis, keys }: Db,
  id: string,
  ...names: string[]
): Promise<(string | null)[]> {
  return redis.hmget(keys.mission(id), ...names);
}

export async function missionExists({ redis, keys }: Db, id: string): Promise<boolean> {
  return (await redis.exists(keys.mission(id))) === 1;
}

/** Stores some fields and the instant of the change. */
export async function writeMission(db: Db, id: string, patch: MissionPatch, updatedAt: Date): Promise<void> {
  const fields: Record<string, string> = { updatedAt: updatedAt.toISOString() };
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    fields[name] =
      value === null
        ? ''
        : Object.hasOwn(SHAPES, name) || typeof value === 'object'
          ? JSON.stringify(value)
          : String(value);
  }
  await writeMissionFields(db, id, fields);
}

/** Stores fields of the hash that are no part of `MissionRecord`. */
export async function writeMissionFields(
  { redis, keys }: Db,
  id: string,
  fields: Record<string, string | number>,
): Promise<void> {
  await redis.hset(keys.mission(id), fields);
}

/**
 * Parses the stored fields. A missing field gets its initial value. So does a damaged one, unless
 * `onDamage` throws: one damaged record must not make a list of missions fail.
 */
function toRecord(
  id: string,
  fields: Record<string, string>,
  onDamage: (damage: unknown) => void = () => undefined,
): MissionRecord {
  const text = (name: string): string | null =>
    fields[name] === undefined || fields[name] === '' ? null : fields[name];
  const json = <T>(name: string, otherwise: T): T => {
    const value = text(name);
    if (value === null) return otherwise;
    try {
      const fits = SHAPES[name] ?? isAnswer;
      return (parseField(value, { of: `mission ${id}`, field: name, fits }) as T | null) ?? otherwise;
    } catch (damage) {
      onDamage(damage);
      return otherwise;
    }
  };
  const step = text('step') as MissionStep | null;
  return {
    goal: text('goal') ?? '',
    session: text('session') ?? '',
    workspace: text('workspace'),
    state: (text('state') ?? 'running') as MissionState,
    step: step ?? MISSION_STEPS[0],
    round: toStoredCount(text('round')),
    plan: json<Plan | null>('plan', null),
    excess: text('excess') ?? '',
    nodes: json<PlanNode[]>('nodes', []),
    recall: json<Recall | null>('recall', null),
    survey: json<Survey | null>('survey', null),
    added: toStoredCount(text('added')),
    counts: toMarkedCounts(json('counts', NO_COUNTS), fields),
    problem: text('problem') ?? '',
    createdAt: text('createdAt'),
    updatedAt: text('updatedAt'),
    endedAt: text('endedAt'),
    finding: text('finding'),
    releases: toStoredCount(text('releases')),
    plannedAt: text('plannedAt'),
    approval: json<Approval | null>('approval', null),
    answers: Object.keys(fields)
      .filter((name) => name.startsWith(ANSWER_FIELD))
      .flatMap((name) => json<Answer | null>(name, null) ?? [])
      .sort((a, b) => a.n - b.n),
  };
}

/** Records of older versions do not count the cancelled apart. The script that stores a task's finding counts the marks at once; the coordinator counts what is done a little later. */
function toMarkedCounts(counts: ChildCounts, fields: Record<string, string>): MarkedCounts {
  const toCount = (field: string): number => Math.min(counts.done, toStoredCount(fields[field]));
  return { ...NO_COUNTS, ...counts, partial: toCount('partial'), toolErrors: toCount('tool_errors') };
}

/**
 * Creates the record of a mission, its entry in the list and its budget; leaves unchanged what exists. The producer calls
 * it before it adds the job. The coordinator calls it again, because another program may have added the job.
 */
export async function createMissionRecord(
  db: Db,
  mission: { id: string; data: MissionData; session: string; createdAt: Date },
): Promise<void> {
  const { redis, keys } = db;
  const { id, data, session, createdAt } = mission;
  const fields = {
    goal: data.goal,
    session,
    workspace: data.workspace ?? '',
    state: 'running',
    step: 'recall',
    createdAt: createdAt.toISOString(),
    updatedAt: createdAt.toISOString(),
    ...(isReviewed(data) ? { input: JSON.stringify(data) } : {}),
  };
  const chain = redis.pipeline();
  for (const [name, value] of Object.entries(fields)) chain.hsetnx(keys.mission(id), name, value);
  chain.zadd(keys.missions, 'NX', createdAt.getTime(), id);
  for (const [error] of (await chain.exec()) ?? []) if (error) throw error;
  if (data.budget_usd === undefined) return;
  if ((await redis.hexists(keys.spend(`mission:${id}`), 'limit')) === 1) return; // a person may have changed it
  await setBudget(db, data.budget_usd, { mission: id });
}

/** Whether a person sees the plan before it runs. Its job may be gone by then, so the record keeps the mission as it was given. */
function isReviewed({ dry_run: dryRun, approve }: MissionData): boolean {
  return dryRun === true || approve === true;
}

/**
 * Stores a person's answer in the first free place. Sent twice, it is stored once.
 * @param from the place after the answers that are known
 * @returns its number
 */
export async function storeAnswer(
  { redis, keys }: Db,
  id: string,
  answer: Omit<Answer, 'n'>,
  from: number,
): Promise<number> {
  for (let n = from; ; n += 1) {
    const field = `${ANSWER_FIELD}${n}`;
    const isNew = await redis.hsetnx(keys.mission(id), field, JSON.stringify({ n, ...answer } satisfies Answer));
    if (isNew === 1) return n;
    // Another person took the place; or the client sent the command twice, because its connection broke.
    const stored: Partial<Answer> | null = parseRecord(await redis.hget(keys.mission(id), field));
    if (stored?.at === answer.at && stored.by === answer.by) return n;
  }
}

/** Marks a failed mission as running again; its retried job calls this. */
export async function reopenMission(db: Db, id: string, updatedAt: Date): Promise<void> {
  await db.redis.hdel(db.keys.mission(id), 'endedAt');
  await writeMission(db, id, { state: 'running', problem: '' }, updatedAt);
}

/**
 * Marks a mission as parked, in one step: the mark at its budget stops every call of its tree, the state gives the reason.
 * @param from the state before; `resumeMission` returns to it
 */
export async function markParked({ redis, keys }: Db, id: string, from: string, parkedAt: string): Promise<void> {
  const chain = redis
    .multi()
    .hset(keys.spend(`mission:${id}`), 'parked', parkedAt)
    .hset(keys.mission(id), 'state', 'parked', 'updatedAt', parkedAt);
  if (from !== 'parked') chain.hset(keys.mission(id), 'parked_from', from);
  await chain.exec();
}

/** Marks a mission that was parked or asked as running, in one step; one that waited for approval waits again. @param state the one it has now */
export async function markReleased(db: Db, id: string, state: string, releasedAt: string): Promise<void> {
  const { redis, keys } = db;
  const [parkedFrom = null, releases = null] = await readMissionFields(db, id, 'parked_from', 'releases');
  const before = state === 'parked' ? parkedFrom : state;
  const chain = redis
    .multi()
    .hdel(keys.spend(`mission:${id}`), 'parked')
    .hset(keys.mission(id), 'state', before === 'planned' ? before : 'running', 'problem', '', 'updatedAt', releasedAt);
  // The failed retrieval is asked under a new name. Set, not increased: the client sends it twice if its connection breaks.
  if (before === 'asks') chain.hset(keys.mission(id), 'releases', toStoredCount(releases) + 1);
  await chain.exec();
}

/** Deletes record, drafts and marks of a mission. Its finding and its booked cost stay. */
export async function deleteMission({ redis, keys }: Db, id: string): Promise<void> {
  await redis.del(keys.mission(id), keys.missionAdded(id), keys.paper(id), keys.turns(id));
  await redis.zrem(keys.missions, id); // last: a mission still listed after a crash is found and deleted again
}
