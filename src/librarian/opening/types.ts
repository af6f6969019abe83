/** A shard for which live librarians have different keys. */
export interface ShardKeyConflict {
  shard: number;
  /** Those whose key the shard has now: they ask it. */
  asking: { worker: string; host: string }[];
  /** Those with another key, which do not ask it. */
  stale: { worker: string; host: string }[];
}
