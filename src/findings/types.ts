import type { Finding } from './finding.ts';

/** A finding as read: only its id is certain, everything else may be missing in what older programs stored. */
export type StoredFinding = Partial<Finding> &
  Pick<Finding, 'finding_id' | 'at' | 'citations' | 'files_changed' | 'topics'> & {
    /** Of a condensed finding (`status: "condensed"`): the finding that sums it up. */
    summary_id?: string;
    /** Of a summary: every session its findings are of. */
    sessions?: string[];
  };

export interface FindingQuery {
  /** How many at most; default 50. */
  limit?: number;
  session?: string;
  batch?: string;
  /** The librarian's answers instead of findings; session and batch do not apply. Default false. */
  answers?: boolean;
  /** Only findings whose JSON holds this text, case ignored. */
  text?: string;
}

export interface FindingStore {
  /** @returns null where there is none, or none that can be read */
  get(id: string): Promise<StoredFinding | null>;
  /** Newest first. Reads in pages, so that a filter over a large archive holds one page at a time. */
  list(query?: FindingQuery): Promise<StoredFinding[]>;
  /** Oldest first, one page in memory at a time; findings that arrive meanwhile come at the end. */
  each(query?: FindingQuery): AsyncIterable<StoredFinding>;
  /** @returns id, summary and instant of those that hold the text, newest first */
  search(text: string, options: { limit: number }): Promise<{ id: string; summary: string; at: string }[]>;
  count(): Promise<number>;
}

export interface FollowOptions {
  session?: string;
  batch?: string;
  /** Ends the following. Leaving the loop ends it too. */
  signal?: AbortSignal;
}

/** The findings as scripts see them. */
export interface FleetFindings extends FindingStore {
  /**
   * Findings as they are stored, from this call on: `for await (const finding of fleet.findings.follow())`. An outage of
   * Redis delays them; a loop that falls more than 10,000 findings behind misses the oldest.
   */
  follow(options?: FollowOptions): AsyncIterable<StoredFinding>;
}

/** The value of a finding's key, to the byte: JSON text, or the hash of an older program. */
export type StoredValue = { kind: 'string'; text: string } | { kind: 'hash'; fields: [name: string, value: string][] };

/**
 * Where a finding is. `live`: in the archive; `answer`: among the librarian's answers; `condensed`: a summary took its
 * place; `out`: in no index, because it was retracted.
 */
export const PLACES = ['live', 'answer', 'condensed', 'out'] as const;
type Place = (typeof PLACES)[number];

/** One finding with all that is needed to store it elsewhere exactly as it is. */
export interface ExportedFinding {
  id: string;
  place: Place;
  /** Of a condensed finding: its original. */
  value: StoredValue;
  /** What `finding:<id>` holds of a condensed finding; null for every other. */
  condensedText: string | null;
  /** JSON of the retraction; null: not retracted. */
  note: string | null;
}
