import { UsageError } from '../../errors.ts';

/** Longest call. A client gives up after a minute. */
const CALL_MS = 48_000;

/**
 * Waits for the work of one request, at most 48 s: Redis may hang, and a client gives up.
 * @param given fires when the client gives up. The work's own signal also fires once the time is over
 * @throws UsageError when the time is over; what the work throws
 */
export async function inTime<T>(
  what: string,
  given: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seconds = CALL_MS / 1_000;
      reject(new UsageError(`${what}: no end within ${seconds} s; look at what it did (status, wait) and call again`));
    }, CALL_MS);
  });
  try {
    return await Promise.race([work(AbortSignal.any([given, ended.signal])), late]);
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}
