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
   * How long a call holds its place: a window and a 60th of it, ms. The 60th covers calls that reach the provider later
   * than others.
   */
  heldMs: number;
}

/** Groups shards by project. Where shards of one project have different limits, the strictest limits apply. */
export function toProjects(shards: readonly ShardLimits[]): ShardProject[] {
  const groups = new Map<string, ShardLimits[]>();
  for (const shard of shards) {
    const id = shard.project === null ? `shard${shard.number}` : `project-${encodeURIComponent(shard.project)}`;
    groups.set(id, [...(groups.get(id) ?? []), shard]);
  }
  return [...groups].map(([id, members]) => ({
    id,
    shards: members,
    rpm: Math.min(...members.map(({ rpm }) => rpm)),
    rpd: Math.min(...members.map(({ rpd }) => rpd)),
    tpm: Math.min(...members.map(({ tpm }) => tpm)),
    heldMs: Math.max(...members.map(({ windowMs }) => windowMs + Math.ceil(windowMs / 60))),
  }));
}
