import { setTimeout as sleep } from 'node:timers/promises';

/** Wrong passwords that a client may send before its tries are spaced out. */
const FREE_FAILURES = 5;
const FIRST_SPACE_MS = 1_000;
const LONGEST_SPACE_MS = 4_000;
/** Most tries of one client that wait at once. */
const MOST_WAITING = 5;
/** Most clients that are kept. The oldest is dropped first, so that a flood of addresses cannot fill the memory. */
const MAX_CLIENTS = 1_000;

/** When a client's next try may be made, and how many wait for theirs. */
interface Client {
  failures: number;
  nextAt: number;
  waiting: number;
}

export interface LoginThrottle {
  /**
   * Waits until a try of this client may be checked, at most 20 s.
   * @returns false: too many of its tries wait already
   */
  turn(client: string): Promise<boolean>;
  failed(client: string): void;
  succeeded(client: string): void;
}

/**
 * Slows down the guessing of passwords. After five wrong ones a client's tries are checked one after the other, 1 s apart, then
 * 2 and 4 s. None is locked out: the right password is let in when its turn comes. Existing sessions are not affected.
 * @param now returns the time, ms
 */
export function createLoginThrottle(
  now: () => number = Date.now,
  wait: (ms: number) => Promise<unknown> = sleep,
): LoginThrottle {
  const known = new Map<string, Client>();
  return {
    async turn(name) {
      const client = known.get(name);
      if (client === undefined || client.failures < FREE_FAILURES) return true;
      if (client.waiting >= MOST_WAITING) return false;
      const at = Math.max(now(), client.nextAt);
      client.nextAt = at + toSpaceMs(client.failures);
      client.waiting += 1;
      if (at > now()) await wait(at - now());
      client.waiting -= 1;
      return true;
    },
    failed(name) {
      const client = known.get(name) ?? { failures: 0, nextAt: 0, waiting: 0 };
      client.failures += 1;
      if (client.failures === FREE_FAILURES) client.nextAt = now() + FIRST_SPACE_MS;
      known.delete(name);
      known.set(name, client);
      const [oldest] = known.keys();
      if (known.size > MAX_CLIENTS && oldest !== undefined) known.delete(oldest);
    },
    succeeded: (name) => void known.delete(name),
  };
}

function toSpaceMs(failures: number): number {
  return Math.min(LONGEST_SPACE_MS, FIRST_SPACE_MS * 2 ** (failures - FREE_FAILURES));
}
