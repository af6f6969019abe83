import { REDACTED } from '../../../config/redact.ts';
import { toRefusal, ToolRefusal } from '../tool-refusal.ts';
import { replaceFile } from './replace-file.ts';
import { keepStyle } from './text/keep-style.ts';
import { readWhole, toSha256, toText, WRITTEN_CAP, type FileContent, type FileLimit } from './text-file.ts';
import type { ToolOutcome, WorkspaceContext } from '../tool.ts';
import { withWorkspaceLock } from './workspace-lock.ts';

/** What a tool wants a file to be. */
export interface Change {
  content: string;
  /** What was done, for the model. */
  said: string;
  /** Whether line ends and byte order mark are decided. Default: those that the file has are kept. */
  isExact?: boolean;
}

/**
 * Changes one file under the workspace's lock. An existing file must be as this task last read or wrote it, so that no
 * task overwrites changes that it has not read. It keeps its line ends and its byte order mark.
 * @param path real path relative to the root
 * @param change returns the new content; gets the current one, null for a new file
 * @param limit of the current file; default: that of `readWhole`
 * @throws ToolRefusal if the task has not read the file, if it changed since, or if it is no UTF-8 text: the model has seen
 *   it with marks in place of what it really says
 */
export async function writeInside(
  path: string,
  context: WorkspaceContext,
  change: (current: FileContent | null) => Change,
  limit?: FileLimit,
): Promise<ToolOutcome> {
  const { toFileChange } = await import('../compare-lines.ts'); // many tasks write nothing; loaded before anything is written
  return await withWorkspaceLock(context, async () => {
    const current = await readWhole(context.workspace.root, path, limit);
    const wanted = change(current);
    if (current?.sha256 === toSha256(wanted.content)) return toUnchanged(path, wanted.said, current.sha256);
    const before = current === null ? null : toText(current.bytes, path);
    if (current !== null) requireSeen(path, current.sha256, context.state.seen.get(path));
    const { content, said } = before === null ? wanted : inStyleOf(before, wanted);
    requireWritableText(path, content);
    requireNoGap(path, { before, content }, context);
    const sha256 = toSha256(content);
    if (current?.sha256 === sha256) return toUnchanged(path, said, sha256);
    await requireOpen(path, context);
    await context.stillMine?.();
    try {
      await replaceFile(context.workspace.root, path, content);
    } catch (error) {
      throw toRefusal(error, path);
    }
    const changed = toFileChange(path, before, content);
    return {
      content: said,
      isError: false,
      seen: { [path]: sha256 },
      before: { [path]: current?.sha256 ?? null },
      ...(changed === null ? {} : { changes: [changed] }),
    };
  });
}

/** @throws ToolRefusal for a file that the task's own tree cannot keep */
async function requireOpen(path: string, { workspace, signal }: WorkspaceContext): Promise<void> {
  const [closed] = (await workspace.own?.findClosed([path], signal)) ?? [];
  if (closed !== undefined) throw new ToolRefusal(`${JSON.stringify(path)}: cannot be written: ${closed.why}`);
}

function toUnchanged(path: string, said: string, sha256: string): ToolOutcome {
  return { content: `${said} (it already had this content)`, isError: false, seen: { [path]: sha256 } };
}

function inStyleOf(before: string, { content, said, isExact = false }: Change): { content: string; said: string } {
  if (isExact) return { content, said };
  const { text, kept } = keepStyle(before, content);
  const note = kept === '' ? '' : ` (its ${kept} kept: ${Buffer.byteLength(text)} bytes)`;
  return { content: text, said: said + note };
}

/** @throws ToolRefusal unless the file's hash is the one that this task knows */
export function requireSeen(path: string, now: string, seen: string | undefined): void {
  if (seen === now) return;
  const shown = JSON.stringify(path);
  throw new ToolRefusal(
    seen === undefined
      ? `${shown}: exists and this task has not read it; read it first, then write`
      : `${shown}: changed since this task read it; read it again, then write`,
  );
}

/** @throws ToolRefusal for text that has the mark where the file has a secret: the model was not shown it */
function requireNoGap(
  path: string,
  { before, content }: { before: string | null; content: string },
  { redact }: WorkspaceContext,
): void {
  if (before === null || redact === undefined || !content.includes(REDACTED)) return;
  if (redact(before) === before || content.split(REDACTED).length <= before.split(REDACTED).length) return;
  throw new ToolRefusal(
    `${JSON.stringify(path)}: holds a secret that was shown to you as ${REDACTED}; writing that would destroy it. Edit the other parts of the file`,
  );
}

/** @throws ToolRefusal for text that would not come back as it is written, and for too much of it */
function requireWritableText(path: string, content: string): void {
  const shown = JSON.stringify(path);
  const bytes = Buffer.byteLength(content);
  if (bytes > WRITTEN_CAP) {
    throw new ToolRefusal(`${shown}: would have ${bytes} bytes; a file that tools write has at most ${WRITTEN_CAP}`);
  }
  if (!content.isWellFormed()) {
    throw new ToolRefusal(`${shown}: the new content holds half a character (a lone surrogate); nothing was written`);
  }
}
