export interface Turns {
  /** Runs work after all that came before it. */
  take<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when no work is left. */
  idle(): Promise<void>;
}

/** Lets changes be made one after another: two of one workspace at once would refuse each other. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return {
    take(work) {
      const own = last.then(work);
      last = own.catch(() => undefined); // its caller gets the error
      return own;
    },
    async idle() {
      for (let seen: unknown = null; seen !== last;) {
        seen = last;
        await last;
      }
    },
  };
}
