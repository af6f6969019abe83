/**
 * The promise's value, or undefined if the signal fires first. For a Redis command: one that was sent before the connection
 * broke may never be answered, not even after the connection is closed.
 */
export async function undefinedOnAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await rejectOnAbort(promise, signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** The promise's value. @throws the signal's reason if the signal fires first; the promise's later end is ignored */
export async function rejectOnAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
