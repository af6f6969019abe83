/** What a run notes, without its time. Costs are nano-dollars, durations ms, sizes UTF-16 code units. */
export type RunNote =
  /** A worker began a run of the job. */
  | { kind: 'taken'; by: string }
  /**
   * A call ended. `turn`: from 0, `0-more` where a reply was cut, or a name: `plan`. `input`: all tokens of the prompt; `cached`: those of them that were read from the provider's cache. `error` null: it was
   * served. `nanoUsd` null: what it cost is uncertain. `held`: what was held for it meanwhile.
   */
  | {
      kind: 'call';
      turn: string;
      model: string;
      input: number;
      cached: number;
      output: number;
      ms: number;
      nanoUsd: number | null;
      held: number;
      error: string | null;
    }
  /** A tool ran. `size`: of what the model was told; `error` null: it did not fail. */
  | { kind: 'tool'; name: string; args: string; ms: number; size: number; error: string | null }
  /** The job waits. `until`: ms since 1970 by Redis' clock; null: until something wakes it. */
  | { kind: 'wait'; reason: string; until: number | null }
  /** Another model of the route continues. */
  | { kind: 'handover'; from: string; to: string; why: string }
  /** The run continues from so many replies that earlier runs stored. */
  | { kind: 'replayed'; turns: number }
  /** The job went back to waiting: its process left, or made room. */
  | { kind: 'back'; reason: string }
  /** The job went back to waiting because the fleet is halted. */
  | { kind: 'halted'; reason: string }
  /** The job waits for a person. */
  | { kind: 'parked'; reason: string }
  /** It asked its peers, and sleeps. */
  | { kind: 'asked'; question: string; until: number | null }
  /** Another model tries the failed task again. */
  | { kind: 'escalated'; to: string; why: string }
  /** Outside workers may claim it. */
  | { kind: 'offered'; reason: string }
  /** The job failed. */
  | { kind: 'failed'; reason: string; text: string };

/** What is stored elsewhere, and not a second time in the record: by BullMQ, in the books, as the finding. */
type DerivedNote =
  | { kind: 'queued' }
  /** Money is held for a call, which begins. `nanoUsd`: its worst case. */
  | { kind: 'reserved'; turn: string; nanoUsd: number }
  /** Its finding is stored. */
  | { kind: 'finding'; id: string }
  /** The job ended, and BullMQ knows it. `reason` null: it is completed. */
  | { kind: 'ended'; reason: string | null };

/** One line of a job's timeline. `at`: ms since 1970, by Redis' clock. */
export type RunEntry = { at: number } & (RunNote | DerivedNote);

/** Entries for a script: seconds that the record is kept, then each entry as `entry-format.ts` packs it. Empty: there is nothing to write. */
export type PackedNotes = readonly string[];
