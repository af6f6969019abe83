/** What a person may decide about a blocked paper. Source: SPEC, "Rules that stop the fleet" and "Papers". */
export type PaperDecision = 'retry' | 'skip-gemini' | 'accept-shards' | 'park';

/**
 * Why a paper is blocked:
 * `shards`: a shard failed the test before the paper. `shard`: a shard failed during the paper. `malformed`: the librarian's
 * reply was no valid answer. `query`: a section's query failed for another reason, for example cancelled. `reply`: the
 * writer's reply did not fit, also after one repair.
 */
type PaperStopReason = 'shards' | 'shard' | 'malformed' | 'query' | 'reply';

/** The place where a paper is blocked until a person decides. */
export interface PaperStop {
  /** `shards`, `outline`, `section-3`. */
  step: string;
  reason: PaperStopReason;
  /** Evidence: the shard or query, and its error. */
  detail: string;
  /** UTC instant. */
  at: string;
  /** Whether this stop has halted the fleet. A stop halts once, however often the mission runs again. */
  halted: boolean;
  /** Fewer than 80 % of the shards work: `accept-shards` is refused. */
  belowShare?: boolean;
}

/** The result of one shard in the test before a paper. */
export interface ShardOutcome {
  shard: number;
  ok: boolean;
  ms: number | null;
  problem: string | null;
  /** Calls left today. */
  left: number;
}

/** The result of the test before a paper. */
export interface ShardReport {
  at: string;
  shards: ShardOutcome[];
  /** One write to Redis and one read of it, ms. */
  roundTripMs: number;
  /** Key suffix of the finding that holds this report. */
  findingId: string;
}

export interface OutlinedSection {
  id: string;
  title: string;
  /** What the section has to cover. */
  brief: string;
  /** The question to the archive. */
  question: string;
}

export interface Outline {
  title: string;
  sections: OutlinedSection[];
}

/** The material of one section. */
export interface SectionSource {
  /** `archive`: the librarian's answer; `by-id`: findings read without it; `nothing`: no finding bears on the section. */
  kind: 'archive' | 'by-id' | 'nothing';
  /** Id of the librarian's finding; null: there is none. */
  answerId: string | null;
  answer: string;
  /** Ids of the only findings that the section may cite. */
  findings: string[];
}

export interface Draft {
  id: string;
  title: string;
  text: string;
  citations: string[];
  kind: SectionSource['kind'];
}
