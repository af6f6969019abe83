import { createHash } from 'node:crypto';

/** The part of a configured shard that the gate needs. */
export interface ShardLimits {
  /** Counted from 1. */
  number: number;
  /** The Google project that owns its limits; null: a project of its own. */
  project: string | null;
  /** Calls in any window. */
  rpm: number;
  /** Calls a day. */
  rpd: number;
  /** Prompt tokens in any window. */
  tpm: number;
  /** Length of the provider's minute, ms; only tests and benches set another value than 60 s. */
  windowMs: number;
  /** What identifies its key (`toKeyDigest`): it is not asked while the fleet's shard of this number has another. Absent: any key. */
  keyDigest?: string;
}

/** A shard with its key, as it is configured. */
export type KeyedShard = ShardLimits & { apiKey: string };

/** Identifies a key without revealing it. */
export function toKeyDigest(apiKey: string): string {
  return createHash('sha256').update(apiKey).digest('hex').slice(0, 16);
}

/** The shards that share one project's limits: the provider limits projects, not keys. */
export interface ShardProject {
  /** May be part of a Redis key. */
  id: string;
  shards: ShardLimits[];
  rpm: number;
  rpd: number;
  tpm: number;
  /**
   * How long a call holds its place after it has left, ms: a window, and the time that it may take to the provider, which
   * counts it on arrival.
   */
  heldMs: number;
  /** Length of the provider's minute, ms. */
  windowMs: number;
  /** A permit whose call has not left after so long, ms, is given back. */
  freshMs: number;
  /**
   * How long the place of a call that has not left is held beyond `heldMs`, ms: longer than `freshMs`, because a process may
   * stop between the look at the permit and the call.
   */
  unsentMs: number;
  /** Longest time from a call to its answer, ms, that is taken for the time to the provider, and not for the model's work. */
  travelMs: number;
}

/** A call is at the provider so long after it has left: a 60th of the window, in short windows up to a 24th or 250 ms. */
function toTravelMs(windowMs: number): number {
  return Math.max(Math.ceil(windowMs / 60), Math.min(250, Math.ceil(windowMs / 24)));
}

/** Groups shards by project. Where shards of one project have different limits, the strictest limits apply. */
export function toProjects(shards: readonly ShardLimits[]): ShardProject[] {
  const groups = new Map<string, ShardLimits[]>();
  for (const shard of shards) {
    const id = shard.project === null ? `shard${shard.number}` : `project-${encodeURIComponent(shard.project)}`;
    groups.set(id, [...(groups.get(id) ?? []), shard]);
  }
  return [...groups].map(([id, members]) => {
    const windowMs = Math.max(...members.map((shard) => shard.windowMs));
    return {
      id,
      shards: members,
      rpm: Math.min(...members.map(({ rpm }) => rpm)),
      rpd: Math.min(...members.map(({ rpd }) => rpd)),
      tpm: Math.min(...members.map(({ tpm }) => tpm)),
      windowMs,
      heldMs: windowMs + toTravelMs(windowMs),
      freshMs: windowMs / 4,
      unsentMs: Math.ceil(windowMs / 2),
      travelMs: windowMs / 12,
    };
  });
}
