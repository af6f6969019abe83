/** One read for several callers. */
export interface CachedRead<T> {
  /** Returns the answer of the read that is under way, or that ended less than `keepMs` ago. A failed read is not kept. */
  read(): Promise<T>;
  /** The next caller reads anew: what a read began before is no longer true. */
  forget(): void;
}

/** Lets several pages share one read. */
export function createCachedRead<T>(read: () => Promise<T>, keepMs: number): CachedRead<T> {
  let current: { answer: Promise<T>; until: number } | null = null;
  return {
    read() {
      if (current !== null && Date.now() < current.until) return current.answer;
      const entry = { answer: read(), until: Number.POSITIVE_INFINITY };
      current = entry;
      entry.answer.then(
        () => (entry.until = Date.now() + keepMs),
        () => (current = current === entry ? null : current),
      );
      return entry.answer;
    },
    forget() {
      current = null;
    },
  };
}
