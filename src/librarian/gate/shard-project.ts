/** What the gate must know of a shard; a configured shard is one. */
export interface ShardLimits {
  /** From 1. */
  number: number;
  /** The account it belongs to; null: one of its own. */
  project: string | null;
  /** Requests in any window. */
  rpm: number;
  /** Requests a day. */
  rpd: number;
  /** Prompt tokens in any window. */
  tpm: number;
  /** Length of the provider's minute; another than 60 s only in tests and benches. */
  windowMs: number;
}

/** The provider limits a project, not a key: shards of one project are one to the gate. */
export interface ShardProject {
  /** Fit for a key. */
  id: string;
  shards: ShardLimits[];
  rpm: number;
  rpd: number;
  tpm: number;
  /** How long one start takes its place: a window and a 60th of it, for calls that are a little longer under way than others. */
  heldMs: number;
}

/** Groups shards by project. Where those of one project are configured differently, the strictest holds. */
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
