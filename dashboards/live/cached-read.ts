/**
 * Lets several pages share one read. A caller gets the answer of the read that is under way, or that ended less than
 * `keepMs` ago. A failed read is not kept.
 */
export function createCachedRead<T>(read: () => Promise<T>, keepMs: number): () => Promise<T> {
  let current: { answer: Promise<T>; until: number } | null = null;
  return () => {
    if (current !== null && Date.now() < current.until) return current.answer;
    const entry = { answer: read(), until: Number.POSITIVE_INFINITY };
    current = entry;
    entry.answer.then(
      () => (entry.until = Date.now() + keepMs),
      () => (current = current === entry ? null : current),
    );
    return entry.answer;
  };
}
