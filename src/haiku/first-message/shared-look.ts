import type { WorkspaceContext } from '../tools/tool.ts';

/** What one line tells about a workspace; null: it is not known. */
export type WorkspaceReader = (context: WorkspaceContext) => Promise<string | null>;

/** Tasks that begin within this time share one look. */
const SHARED_MS = 2_000;

/** Looks once for the tasks that begin at the same time. A look must not depend on a task's signal. @param keyOf what a look depends on */
export function shareLooks(look: WorkspaceReader, keyOf: (context: WorkspaceContext) => string): WorkspaceReader {
  const looks = new Map<string, { lookedAt: number; found: Promise<string | null> }>();
  return (context) => {
    const key = keyOf(context);
    const now = performance.now();
    for (const [old, { lookedAt }] of looks) if (now - lookedAt >= SHARED_MS) looks.delete(old);
    const known = looks.get(key);
    if (known !== undefined) return known.found;
    const found = look(context);
    looks.set(key, { lookedAt: now, found });
    return found;
  };
}
