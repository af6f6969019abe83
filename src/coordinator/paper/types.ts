/** What a person may do with a paper that stands. Source: SPEC, "Rules that stop the fleet" and "Papers". */
export type PaperDecision = 'retry' | 'skip-gemini' | 'accept-shards' | 'park';

/**
 * Why a paper stands:
 * `shards`: not all of them passed the test before it. `shard`: one failed during it. `malformed`: the librarian's reply was
 * none. `query`: its question ended otherwise, cancelled for example. `reply`: the writer's own reply did not fit, twice.
 */
type PaperStopReason = 'shards' | 'shard' | 'malformed' | 'query' | 'reply';

/** A paper stands here until a person chooses. */
export interface PaperStop {
  /** `shards`, `outline`, `section-3`. */
  step: string;
  reason: PaperStopReason;
  /** Evidence: which shard, which job, whose words. */
  detail: string;
  /** UTC instant. */
  at: string;
  /** Whether the fleet has been halted for it; such a stop halts once, however often the mission starts again. */
  halted: boolean;
  /** Fewer than 80 % of the shards work: going on with them is no choice. */
  belowShare?: boolean;
}

/** One shard, as it did before the paper. */
export interface ShardOutcome {
  shard: number;
  ok: boolean;
  ms: number | null;
  problem: string | null;
  /** Calls left today. */
  left: number;
}

/** The test that comes before a paper. */
export interface ShardReport {
  at: string;
  shards: ShardOutcome[];
  /** One write and read of what was written through Redis, ms. */
  roundTripMs: number;
  /** Key suffix of the finding that says the same. */
  findingId: string;
}

export interface OutlinedSection {
  id: string;
  title: string;
  /** What the section must say. */
  brief: string;
  /** What the archive is asked for it. */
  question: string;
}

export interface Outline {
  title: string;
  sections: OutlinedSection[];
}

/** What one section is written from. */
export interface SectionSource {
  /** `archive`: the librarian's answer; `by-id`: findings read without it; `nothing`: no finding bears on the section. */
  kind: 'archive' | 'by-id' | 'nothing';
  /** The answer's finding id; null without one. */
  answerId: string | null;
  answer: string;
  /** Ids of the findings it may cite, the only ones. */
  findings: string[];
}

export interface Draft {
  id: string;
  title: string;
  text: string;
  citations: string[];
  kind: SectionSource['kind'];
}
