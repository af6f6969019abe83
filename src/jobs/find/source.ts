import type { FoundJob } from './filter.ts';

/** Where the reading of a source continues: after this entry. */
export interface Place {
  id: string;
  /** Of a list: the index of the next entry. */
  index: number;
  /** Of a sorted set, as Redis writes it. */
  score: string;
}

/** A found job with the place after it. */
export interface PlacedJob extends FoundJob {
  after: Place;
}

/** What one step has read of a source. */
export interface Part {
  looked: number;
  /** There is nothing after this part. */
  isOver: boolean;
  /** After the last entry that was looked at. Null: there was none. */
  after: Place | null;
  found: PlacedJob[];
}

/** One list or index of jobs, read from its newest entry on, in its own order. */
export interface Source {
  /** Distinguishes the sources of one list. */
  name: string;
  /** Its jobs come before all others. */
  isFirst?: true;
  /** @param want how many jobs are asked for. @param from null: from the newest on */
  read(from: Place | null, want: number): Promise<Part>;
}

/** Entries that one step looks at: a few milliseconds of Redis. */
export const PART = 1_000;
/** Values before the rows of an answer. */
const HEAD = 5;

/** Splits the answer of `find-jobs` and `find-ended`. @param width values of a row */
export function splitAnswer(
  answer: readonly (string | number)[],
  width: number,
): { part: Omit<Part, 'found'>; rows: string[][] } {
  const [looked = 0, isOver = 0, index = 0, score = '', id = ''] = answer;
  const rows: string[][] = [];
  for (let i = HEAD; i < answer.length; i += width) rows.push(answer.slice(i, i + width).map(String));
  const after = Number(looked) === 0 ? null : { id: String(id), index: Number(index), score: String(score) };
  return { part: { looked: Number(looked), isOver: isOver === 1, after }, rows };
}
