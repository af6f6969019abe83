import type { MissionData } from '../../../queues/missions.ts';
import { FleetError } from '../../errors.ts';
import { setBudget } from '../../ledger/budget.ts';
import {
  MISSION_STEPS,
  type ChildCounts,
  type MissionRecord,
  type MissionState,
  type MissionStep,
  type Recall,
  type Survey,
} from './types.ts';
import type { Plan, PlanNode } from '../plan/plan.ts';
import type { Db } from '../../redis/db.ts';

export type MissionPatch = Partial<MissionRecord>;

const NO_COUNTS: ChildCounts = { total: 0, added: 0, done: 0, failed: 0, skipped: 0 };
const JSON_FIELDS = new Set(['plan', 'nodes', 'recall', 'survey', 'counts']);

/**
 * Reads one mission. @returns null where there is none of that id
 * @throws FleetError where another program wrote what is no JSON: nothing is planned, paid or answered on half a record
 */
export async function readMission({ redis, keys }: Db, id: string): Promise<MissionRecord | null> {
  const fields = await redis.hgetall(keys.mission(id));
  if (Object.keys(fields).length === 0) return null;
  return toRecord(fields, (name) => {
    throw new FleetError(`mission ${id}: its record is damaged: field ${name} is no JSON`);
  });
}

/** Reads what a list or a page shows of a mission, and not its plan: a few hundred bytes, however large the plan is. */
export async function readMissionHead({ redis, keys }: Db, id: string): Promise<MissionRecord | null> {
  const names = ['goal', 'session', 'workspace', 'state', 'step', 'round', 'added', 'counts', 'problem', 'createdAt'];
  const more = ['updatedAt', 'endedAt', 'finding', 'releases'];
  const all = [...names, ...more];
  const values = await redis.hmget(keys.mission(id), ...all);
  if (values[0] === null && values[3] === null) return null;
  return toRecord(
    Object.fromEntries(
      all.flatMap((name, at) => {
        const value = values[at] ?? null;
        return value === null ? [] : [[name, value]];
      }),
    ),
  );
}

/** Stores some fields, and when. */
export async function writeMission({ redis, keys }: Db, id: string, patch: MissionPatch, at: Date): Promise<void> {
  const fields: Record<string, string> = { updatedAt: at.toISOString() };
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    fields[name] =
      value === null ? '' : JSON_FIELDS.has(name) || typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  await redis.hset(keys.mission(id), fields);
}

/**
 * Whoever wrote the hash: a missing field has its beginning's value, and so has one that is no JSON, if `onDamage` lets it:
 * a list of missions is not to fail for one of them.
 */
function toRecord(fields: Record<string, string>, onDamage: (name: string) => void = () => undefined): MissionRecord {
  const text = (name: string): string | null =>
    fields[name] === undefined || fields[name] === '' ? null : fields[name];
  const json = <T>(name: string, otherwise: T): T => {
    const value = text(name);
    if (value === null) return otherwise;
    try {
      return (JSON.parse(value) as T | null) ?? otherwise;
    } catch {
      onDamage(name);
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
    round: Number(text('round') ?? 0),
    plan: json<Plan | null>('plan', null),
    nodes: json<PlanNode[]>('nodes', []),
    recall: json<Recall | null>('recall', null),
    survey: json<Survey | null>('survey', null),
    added: Number(text('added') ?? 0),
    counts: json('counts', NO_COUNTS),
    problem: text('problem') ?? '',
    createdAt: text('createdAt'),
    updatedAt: text('updatedAt'),
    endedAt: text('endedAt'),
    finding: text('finding'),
    releases: Number(text('releases') ?? 0),
  };
}

/**
 * Lays down the record of a mission, its place in the list and its budget; what is there already stays. The producer does
 * so before the job is added, the coordinator again: a job may have come another way.
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
  };
  const chain = redis.pipeline();
  for (const [name, value] of Object.entries(fields)) chain.hsetnx(keys.mission(id), name, value);
  chain.zadd(keys.missions, 'NX', createdAt.getTime(), id);
  for (const [error] of (await chain.exec()) ?? []) if (error) throw error;
  if (data.budget_usd === undefined) return;
  if ((await redis.hexists(keys.spend(`mission:${id}`), 'limit')) === 1) return; // a person may have changed it
  await setBudget(db, data.budget_usd, { mission: id });
}
