/** Wrong passwords an address may give before it has to wait. */
const FREE_FAILURES = 5;
const LONGEST_WAIT_MS = 60_000;
/** Addresses remembered; the oldest is forgotten first, so that a flood cannot fill the memory. */
const MAX_ADDRESSES = 1_000;

export interface LoginThrottle {
  /** How long this address must wait before its next try; 0: none. */
  waitMs(address: string): number;
  failed(address: string): void;
  succeeded(address: string): void;
}

/**
 * Slows down guessing: after five wrong passwords an address waits 1 s, and twice as long after each further one, to a
 * minute at most. Sessions that exist are not touched.
 * @param now milliseconds of a clock
 */
export function createLoginThrottle(now: () => number = Date.now): LoginThrottle {
  const known = new Map<string, { failures: number; until: number }>();
  return {
    waitMs: (address) => Math.max(0, (known.get(address)?.until ?? 0) - now()),
    failed(address) {
      const failures = (known.get(address)?.failures ?? 0) + 1;
      known.delete(address);
      const over = failures - FREE_FAILURES;
      const wait = over < 0 ? 0 : Math.min(1_000 * 2 ** over, LONGEST_WAIT_MS);
      known.set(address, { failures, until: now() + wait });
      const [oldest] = known.keys();
      if (known.size > MAX_ADDRESSES && oldest !== undefined) known.delete(oldest);
    },
    succeeded: (address) => void known.delete(address),
  };
}
