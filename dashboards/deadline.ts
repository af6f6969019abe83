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

/** Longest search of a page. */
const SEARCH_TIMEOUT_MS = 10_000;

/** A search that found no end in time. */
export class SearchTooLongError extends Error {}

/** Ends a search that takes too long. @throws SearchTooLongError */
export async function withSearchDeadline<T>(search: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(SEARCH_TIMEOUT_MS);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new SearchTooLongError('the search took too long')), { once: true });
  });
  return Promise.race([search(signal), late]);
}

/** Like `withSearchDeadline`, with null in place of its error. */
export async function searchInTime<T>(search: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
  try {
    return await withSearchDeadline(search);
  } catch (error) {
    if (error instanceof SearchTooLongError) return null;
    throw error;
  }
}
