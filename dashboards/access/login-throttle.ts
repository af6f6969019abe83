/** Wrong passwords that an address may send before it must wait. */
const FREE_FAILURES = 5;
const LONGEST_WAIT_MS = 60_000;
/** Most addresses that are kept. The oldest is dropped first, so that a flood of addresses cannot fill the memory. */
const MAX_ADDRESSES = 1_000;

export interface LoginThrottle {
  /** Returns how long this address must wait before its next try, ms; 0: it need not wait. */
  waitMs(address: string): number;
  failed(address: string): void;
  succeeded(address: string): void;
}

/**
 * Slows down the guessing of passwords. After five wrong ones an address waits 1 s, and twice as long after each further
 * one, at most one minute. Existing sessions are not affected.
 * @param now returns the time, ms
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
