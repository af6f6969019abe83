import type { Redis } from 'ioredis';
import { pacificDay, type DayClock } from './pacific-day.ts';
import type { Db } from '../../redis/db.ts';
import { toProjects, type ShardLimits, type ShardProject } from './shard-project.ts';

/** One shard, as it is now by Redis' clock. */
export interface ShardState {
  shard: number;
  project: string | null;
  /** `cooling`: the provider asked for a wait; `failing`, `refused`: its last calls failed, its key was refused. */
  state: 'ok' | 'cooling' | 'exhausted' | 'failing' | 'refused';
  /** Calls left today. */
  left: number;
  /** Calls, requests and tokens that it may use: configured, or lower where the provider said so. */
  perDay: number;
  perWindow: number;
  tokensPerWindow: number;
  /** Used within the last window. */
  starts: number;
  tokens: number;
  /** Limits the provider stated, with the day it did; empty where the configured ones hold. */
  stated: { scope: 'day' | 'minute' | 'tokens'; limit: number; day: string }[];
  /** How long it is closed yet for another reason than a used-up minute; 0: open. */
  closedForMs: number;
  lastError: { message: string; at: string } | null;
  /** When the day's quota begins anew. */
  resetsAt: string;
}

const STATED = ['day', 'minute', 'tokens'] as const;

/**
 * All shards; nothing is written.
 * @param nowMs Redis' clock, if it has just been asked; then one round trip less
 */
export async function readShardStates(
  db: Db,
  shards: readonly ShardLimits[],
  { nowMs, dayAt = pacificDay }: { nowMs?: number; dayAt?: DayClock } = {},
): Promise<ShardState[]> {
  const { redis } = db;
  if (shards.length === 0) return [];
  const now = nowMs ?? (await readClock(redis));
  const states = await Promise.all(toProjects(shards).map((project) => readProject(db, project, now, dayAt(now))));
  return states.flat().sort((a, b) => a.shard - b.shard);
}

async function readClock(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

async function readProject({ redis, keys }: Db, project: ShardProject, now: number, day: ReturnType<DayClock>) {
  const chain = redis
    .pipeline()
    .hgetall(keys.shardProject(project.id))
    .zrangebyscore(keys.shardStarts(project.id), now - project.heldMs + 1, '+inf')
    .hgetall(keys.shardTokens(project.id));
  for (const { number } of project.shards)
    chain.hgetall(keys.shardState(number)).get(keys.shardQuota(number)).get(keys.shardStatus(number));
  const replies = (await chain.exec()) ?? [];
  const reply = (at: number): unknown => replies[at]?.[1]; // a public key of a wrong type is an error in its own place
  const hash = (at: number) => (reply(at) ?? {}) as Record<string, string>;

  const kept = hash(0);
  const starts = (reply(1) ?? []) as string[];
  const tokens = hash(2);
  const stated = STATED.map((scope) => ({ scope, ...parseStated(kept[`stated:${scope}`]) })).filter(
    ({ limit, untilMs, scope }) => untilMs > now && limit < configuredLimit(project, scope),
  );
  const limitOf = (scope: (typeof STATED)[number]): number =>
    stated.find((found) => found.scope === scope)?.limit ?? configuredLimit(project, scope);
  const coolingMs = Number(kept['cool_until'] ?? 0) - now;

  return project.shards.map((shard, i): ShardState => {
    const own = hash(3 + 3 * i);
    const left = parseLeft(reply(4 + 3 * i), limitOf('day'), kept['day'] === day.name ? kept['left'] : undefined);
    const exhausted = left <= 0 || reply(5 + 3 * i) === 'exhausted';
    const closedMs = Number(own['closed_until'] ?? 0) - now;
    const failing = own['closed_reason'] === undefined ? null : own['closed_reason'];
    return {
      shard: shard.number,
      project: shard.project,
      state: exhausted
        ? 'exhausted'
        : failing === 'refused'
          ? 'refused'
          : failing !== null
            ? 'failing'
            : coolingMs > 0
              ? 'cooling'
              : 'ok',
      left: exhausted ? 0 : left,
      perDay: limitOf('day'),
      perWindow: limitOf('minute'),
      tokensPerWindow: limitOf('tokens'),
      starts: starts.length,
      tokens: starts.reduce((sum, id) => sum + (Number.parseInt(tokens[id] ?? '0', 10) || 0), 0),
      stated: stated.map(({ scope, limit, day: statedOn }) => ({ scope, limit, day: statedOn })),
      closedForMs: Math.max(0, exhausted ? day.endsAtMs - now : 0, coolingMs, closedMs),
      lastError:
        own['last_error'] === undefined
          ? null
          : { message: own['last_error'], at: new Date(Number(own['last_error_at'] ?? 0)).toISOString() },
      resetsAt: new Date(day.endsAtMs).toISOString(),
    };
  });
}

function configuredLimit(project: ShardProject, scope: (typeof STATED)[number]): number {
  return { day: project.rpd, minute: project.rpm, tokens: project.tpm }[scope];
}

function parseStated(text = ''): { limit: number; untilMs: number; day: string } {
  const [limit, untilMs, day = ''] = text.split('|');
  return { limit: Number(limit ?? 0), untilMs: Number(untilMs ?? 0), day };
}

/** A missing key is a full day; one that holds no number is as good as what the fleet last knew. */
function parseLeft(value: unknown, full: number, lastKnown: string | undefined): number {
  if (value === null) return full;
  const number = typeof value === 'string' && /^\s*-?\d+\s*$/.test(value) ? Number(value) : Number(lastKnown ?? full);
  return Math.max(0, Math.min(full, number));
}
