/**
 * The answer, or undefined once the signal fires. A command in flight when Redis goes away is answered by nobody, not even
 * when its connection is closed.
 */
export async function untilAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  let stop = (): void => undefined;
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([answer, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
    answer.catch(() => undefined); // fails when its connection is closed, and nobody waits for it then
  }
}
