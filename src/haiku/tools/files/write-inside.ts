import { toFileChange } from '../line-change.ts';
import { toRefusal, ToolRefusal } from '../tool-refusal.ts';
import { replaceFile } from './replace-file.ts';
import { readWhole, toSha256, type FileContent } from './text-file.ts';
import type { ToolOutcome, WorkspaceContext } from '../tool.ts';
import { withWorkspaceLock } from './workspace-lock.ts';

/**
 * Changes one file under the workspace's write lock. An existing file must be as this task last saw it, so that nobody's
 * work is overwritten unread.
 * @param path real path relative to the root
 * @param change the new content; gets what is there now, null for a new file
 * @throws ToolRefusal the file was not read by this task, or changed since
 */
export async function writeInside(
  path: string,
  context: WorkspaceContext,
  change: (current: FileContent | null) => { content: string; said: string },
): Promise<ToolOutcome> {
  return await withWorkspaceLock(context, async () => {
    const { root } = context.workspace;
    const current = await readWhole(root, path);
    const { content, said } = change(current);
    const sha256 = toSha256(content);
    if (current?.sha256 === sha256) {
      return { content: `${said} (it already had this content)`, isError: false, seen: { [path]: sha256 } };
    }
    if (current !== null) requireSeen(path, current.sha256, context.state.seen.get(path));
    await context.stillMine?.();
    try {
      await replaceFile(root, path, content);
    } catch (error) {
      throw toRefusal(error, path);
    }
    const changed = toFileChange(path, current === null ? null : current.bytes.toString('utf8'), content);
    return {
      content: said,
      isError: false,
      seen: { [path]: sha256 },
      ...(changed === null ? {} : { changes: [changed] }),
    };
  });
}

/** @throws ToolRefusal unless this task knows the file exactly as it is now */
export function requireSeen(path: string, now: string, seen: string | undefined): void {
  if (seen === now) return;
  const shown = JSON.stringify(path);
  throw new ToolRefusal(
    seen === undefined
      ? `${shown}: exists and this task has not read it; read it first, then write`
      : `${shown}: changed since this task read it; read it again, then write`,
  );
}
