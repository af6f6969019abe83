/** Longest wait for Redis. Then a page gets an error instead of an answer. */
export const REDIS_TIMEOUT_MS = 2_000;

/** Rejects if the work takes longer, so that no page waits for a frozen Redis. The work itself is not aborted. */
export async function withDeadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
