import type { Redis } from 'ioredis';
import { pacificDay, type DayClock, type QuotaDay } from './pacific-day.ts';
import type { Db } from '../../redis/db.ts';
import { toProjects, type ShardLimits, type ShardProject } from './shard-project.ts';
import { toStoredCount, toStoredTime } from '../../redis/stored-record.ts';

/** One shard at this moment by Redis' clock. */
export interface ShardState {
  shard: number;
  project: string | null;
  /** `cooling`: the provider asked for a wait; `failing`: its last calls failed; `refused`: its key was refused. */
  state: 'ok' | 'cooling' | 'exhausted' | 'failing' | 'refused';
  /** Calls left today. */
  left: number;
  /**
   * Limits in force: the configured ones, or lower ones that the provider stated. Calls a day, calls and tokens a
   * window.
   */
  perDay: number;
  perWindow: number;
  tokensPerWindow: number;
  /** Calls and tokens within the last window. */
  starts: number;
  tokens: number;
  /** Limits that the provider stated, with the day it stated them; empty where the configured ones apply. */
  stated: { scope: 'day' | 'minute' | 'tokens'; limit: number; day: string }[];
  /** How long it stays closed for a reason other than a full window, ms; 0: open. */
  closedForMs: number;
  lastError: { message: string; at: string } | null;
  /** When the next day's quota begins. */
  resetsAt: string;
}

const STATED = ['day', 'minute', 'tokens'] as const;
type StatedScope = (typeof STATED)[number];

/**
 * Reads the states of all shards and writes nothing.
 * @param options.nowMs Redis' clock, if the caller has just read it: that saves a round trip
 */
export async function readShardStates(
  db: Db,
  shards: readonly ShardLimits[],
  { nowMs, dayAt = pacificDay }: { nowMs?: number; dayAt?: DayClock } = {},
): Promise<ShardState[]> {
  const { redis } = db;
  if (shards.length === 0) return [];
  const now = nowMs ?? (await readClock(redis));
  const states = await Promise.all(
    toProjects(shards).map(async (project) => toStates(project, await readProject(db, project, now), now, dayAt(now))),
  );
  return states.flat().sort((a, b) => a.shard - b.shard);
}

async function readClock(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/** A project as Redis holds it, before anything is derived. */
interface RawProject {
  /** Fields of the project: the day, what is left of it, stated limits, until when it cools down. */
  fields: Record<string, string>;
  /** Ids of the calls that count in the window. */
  starts: string[];
  /** By call id: `tokens|shard`. */
  tokens: Record<string, string>;
  /** In the order of the project's shards. */
  shards: { fields: Record<string, string>; quota: unknown; status: unknown }[];
}

async function readProject({ redis, keys }: Db, project: ShardProject, nowMs: number): Promise<RawProject> {
  const chain = redis
    .pipeline()
    .hgetall(keys.shardProject(project.id))
    .zrangebyscore(keys.shardStarts(project.id), nowMs - project.heldMs + 1, '+inf')
    .hgetall(keys.shardTokens(project.id));
  for (const { number } of project.shards) {
    chain.hgetall(keys.shardState(number)).get(keys.shardQuota(number)).get(keys.shardStatus(number));
  }
  // A public key of another type is an error of its own command: that value is then absent.
  const [fields, starts, tokens, ...own] = ((await chain.exec()) ?? []).map(([, reply]) => reply);
  return {
    fields: (fields ?? {}) as Record<string, string>,
    starts: (starts ?? []) as string[],
    tokens: (tokens ?? {}) as Record<string, string>,
    shards: project.shards.map((_, i) => {
      const [state, quota, status] = own.slice(3 * i, 3 * i + 3);
      return { fields: (state ?? {}) as Record<string, string>, quota, status };
    }),
  };
}

function toStates(project: ShardProject, raw: RawProject, nowMs: number, day: QuotaDay): ShardState[] {
  const stated = STATED.map((scope) => ({ scope, ...parseStated(raw.fields[`stated:${scope}`]) })).filter(
    ({ limit, untilMs, scope }) => untilMs > nowMs && limit < configuredLimit(project, scope),
  );
  const limitOf = (scope: StatedScope): number =>
    stated.find((found) => found.scope === scope)?.limit ?? configuredLimit(project, scope);
  const lastKnown = raw.fields['day'] === day.name ? raw.fields['left'] : undefined;
  const coolingMs = toStoredCount(raw.fields['cool_until']) - nowMs;
  const tokens = raw.starts.reduce((sum, id) => sum + (Number.parseInt(raw.tokens[id] ?? '0', 10) || 0), 0);

  return project.shards.map((shard, i): ShardState => {
    const { fields = {}, quota, status } = raw.shards[i] ?? {};
    const left = parseLeft(quota, limitOf('day'), lastKnown);
    const isExhausted = left <= 0 || status === 'exhausted';
    const closedMs = toStoredCount(fields['closed_until']) - nowMs;
    return {
      shard: shard.number,
      project: shard.project,
      state: toState({ isExhausted, closedReason: fields['closed_reason'], coolingMs }),
      left: isExhausted ? 0 : left,
      perDay: limitOf('day'),
      perWindow: limitOf('minute'),
      tokensPerWindow: limitOf('tokens'),
      starts: raw.starts.length,
      tokens,
      stated: stated.map(({ scope, limit, day: statedOn }) => ({ scope, limit, day: statedOn })),
      closedForMs: Math.max(0, isExhausted ? day.endsAtMs - nowMs : 0, coolingMs, closedMs),
      lastError: toLastError(fields),
      resetsAt: new Date(day.endsAtMs).toISOString(),
    };
  });
}

function toState(shard: {
  isExhausted: boolean;
  closedReason: string | undefined;
  coolingMs: number;
}): ShardState['state'] {
  if (shard.isExhausted) return 'exhausted';
  if (shard.closedReason !== undefined) return shard.closedReason === 'refused' ? 'refused' : 'failing';
  return shard.coolingMs > 0 ? 'cooling' : 'ok';
}

function toLastError(fields: Record<string, string>): ShardState['lastError'] {
  const { last_error: message, last_error_at: atMs = 0 } = fields;
  return message === undefined ? null : { message, at: toStoredTime(String(atMs)).toISOString() };
}

function configuredLimit(project: ShardProject, scope: StatedScope): number {
  return { day: project.rpd, minute: project.rpm, tokens: project.tpm }[scope];
}

function parseStated(text = ''): { limit: number; untilMs: number; day: string } {
  const [limit, untilMs, day = ''] = text.split('|');
  return { limit: toStoredCount(limit), untilMs: toStoredCount(untilMs), day };
}

/** Without a key the day is full. Where the key holds no number, the fleet's last value counts. */
function parseLeft(value: unknown, full: number, lastKnown: string | undefined): number {
  if (value === null) return full;
  const number = typeof value === 'string' && /^\s*-?\d+\s*$/.test(value) ? Number(value) : Number(lastKnown ?? full);
  return Math.max(0, Math.min(full, number));
}
