/** Lines of one text that are written as they come. */
const BURST = 5;
/** Then one line at most in this time, ms, with the count of those left out. */
const EVERY_MS = 60_000;
/** A text that did not come for this long, ms, is new again. */
const QUIET_MS = 5 * 60_000;
/** Most texts that are told apart; further ones share one bound. */
const MOST_TEXTS = 300;
const ALL_OTHERS = 'lines of many texts';

interface Text {
  /** Name of the level. */
  level: string;
  written: number;
  /** Left out since the last one that was written. */
  held: number;
  writtenAt: number;
  seenAt: number;
}

/** Bounds what a storm writes: an outage or a failing batch repeats the same line for each job. No count is lost. */
export interface RepeatLimit {
  /** @returns null: leave the line out; else how many like it were left out before it */
  take(level: string, text: string): number | null;
  /** Calls `write` for each text of which lines were left out in the last minute or longer. @param all also those of the last minute */
  flush(all: boolean): void;
}

/** @param write writes one line about `more` lines that were left out */
export function createRepeatLimit(
  write: (level: string, text: string, more: number) => void,
  now: () => number = () => performance.now(),
): RepeatLimit {
  const texts = new Map<string, Text>();

  function find(level: string, text: string, at: number): Text {
    const name = texts.size < MOST_TEXTS || texts.has(text) ? text : ALL_OTHERS;
    let found = texts.get(name);
    if (found === undefined) {
      found = { level, written: 0, held: 0, writtenAt: at, seenAt: at };
      texts.set(name, found);
    }
    return found;
  }

  return {
    take(level, text) {
      const at = now();
      const entry = find(level, text, at);
      entry.seenAt = at;
      if (entry.written >= BURST && at - entry.writtenAt < EVERY_MS) {
        entry.held += 1;
        return null;
      }
      const more = entry.held;
      Object.assign(entry, { written: entry.written + 1, held: 0, writtenAt: at });
      return more;
    },
    flush(all) {
      const at = now();
      for (const [text, entry] of texts) {
        const { level, held, writtenAt, seenAt } = entry;
        if (held > 0 && (all || at - writtenAt >= EVERY_MS)) {
          Object.assign(entry, { held: 0, writtenAt: at });
          write(level, text, held);
        } else if (held === 0 && at - seenAt > QUIET_MS) {
          texts.delete(text);
        }
      }
    },
  };
}
