import type { Finding } from './finding.ts';

/** A finding as it was read. Only the fields of the second line are certain; in findings of older programs others may be missing. */
export type StoredFinding = Partial<Finding> &
  Pick<Finding, 'finding_id' | 'at' | 'citations' | 'files_changed' | 'topics'> & {
    /** Of a condensed finding (`status: "condensed"`): the id of the summary that replaced it. */
    summary_id?: string;
    /** Of a condensed or retracted finding: the status that it had before. Absent: an older version marked it. */
    original_status?: string;
    /** Of a summary: the sessions of all findings that it replaced. */
    sessions?: string[];
    /** Of a finding of another swarm: its name, with which its ids begin. Absent: this swarm's. */
    swarm?: string;
    /** Of a finding of another swarm: whether its work is simulated. */
    simulated?: boolean;
  };

export interface FindingQuery {
  /** Most findings. Default 50. */
  limit?: number;
  session?: string;
  batch?: string;
  /** Only findings of this memory shard; null: only those that belong to none. Default: all. */
  shard?: string | null;
  /** True: the librarian's answers instead of findings; session and batch do not apply. Default false. */
  answers?: boolean;
  /** Only findings whose JSON contains this text, literally. Case does not matter. `FindingStore.find` searches by words. */
  text?: string;
  /** Only findings of this other swarm, one of `FLEET_READ_SWARMS`. Default: those of this swarm. */
  swarm?: string;
  /** Ends the reading of findings between two pages. */
  signal?: AbortSignal;
}

/** One finding of a search. */
export interface FoundFinding {
  id: string;
  /** UTC instant, ISO 8601. */
  at: string;
  /** At most 200 characters, on one line. */
  summary: string;
  /** Whether its worker ran out of turns. */
  isPartial: boolean;
  /** Count of its tool calls that failed. */
  toolErrors: number;
  /** How many of the query's words and phrases it has. */
  matches: number;
  /** Whether another swarm stored it, whose work is simulated. Absent: no. */
  simulated?: boolean;
}

/** What a search found, and what it did not look at. */
export interface FoundFindings {
  /** The best first. */
  found: FoundFinding[];
  /** Count of words and phrases that were looked for. */
  termCount: number;
  /** Count of the oldest findings that were not searched, because the time was over. */
  olderCount: number;
  /** Count of findings above 8 MB, which are not searched. */
  tooLargeCount: number;
}

export interface FindOptions {
  /** Most findings. Default 20. */
  limit?: number;
  session?: string;
  batch?: string;
  /** Only findings of this memory shard; null: only those that belong to none. Default: all. */
  shard?: string | null;
  /** Only findings of this other swarm, one of `FLEET_READ_SWARMS`. Default: those of this swarm. */
  swarm?: string;
  /** Longest search, ms; what it found by then is returned. Default 10 s. */
  deadlineMs?: number;
  /** Ends the search when it fires: it throws the signal's reason. */
  signal?: AbortSignal;
}

/** What the fleet's own readers may state besides. */
export interface ReaderOptions {
  /** Only findings that may be shown to a reader from which these vendors learn of it; null: all vendors do. Default: every finding. */
  reader?: readonly string[] | null;
}

export interface FindingStore {
  /** Reads one finding. @returns null: it does not exist, or cannot be parsed */
  get(id: string): Promise<StoredFinding | null>;
  /** Reads findings, newest first, with one page of the archive in memory at a time. */
  list(query?: FindingQuery): Promise<StoredFinding[]>;
  /** Yields findings, oldest first, with one page in memory at a time. Findings that are stored meanwhile come last. */
  each(query?: FindingQuery): AsyncIterable<StoredFinding>;
  /**
   * Searches live findings by words: `find('gemini "rate limit"')`. A finding is found if it has one of the words, anywhere in
   * its texts, also inside a longer word; "quoted words" count as one, as they are. Case does not matter, accents do. Those with
   * the most words come first, then the newest.
   */
  find(query: string, options?: FindOptions & ReaderOptions): Promise<FoundFindings>;
  /** Searches findings for a text, literally. @returns id, summary and instant (ISO 8601) of those that contain it, newest first */
  search(text: string, options: { limit: number }): Promise<{ id: string; summary: string; at: string }[]>;
  count(): Promise<number>;
}

export interface FollowOptions {
  session?: string;
  batch?: string;
  /** Only findings of this memory shard; null: only those that belong to none. Default: all. */
  shard?: string | null;
  /** Only findings of this other swarm, one of `FLEET_READ_SWARMS`. Default: those of this swarm. */
  swarm?: string;
  /** Ends the iteration when it fires. Leaving the loop ends it too. */
  signal?: AbortSignal;
}

/** The findings, for scripts. */
export interface FleetFindings extends FindingStore {
  /**
   * Yields findings as they are stored, from this call on: `for await (const finding of fleet.findings.follow())`. An outage
   * of Redis delays them. A loop that is more than 10,000 findings late misses the oldest.
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
  /** What a finding of another program lacked when it was adopted; null: nothing. */
  lacked: { session?: string; at?: string } | null;
}

/** A live worker of another program: its `worker:status:<id>` has not expired, and it is none of the fleet's. */
export interface OldWorker {
  id: string;
  /** What it wrote: local time of its host, without a zone. */
  seenAt: string;
}
