import { openInside } from '../tools/files/open-inside.ts';
import { resolveInside } from '../tools/files/safe-path.ts';
import { isGuardedName } from '../tools/files/secret-names.ts';
import { showFile } from '../tools/files/show-file.ts';
import { requireRegular } from '../tools/files/text-file.ts';
import { errorCode, ToolRefusal } from '../tools/tool-refusal.ts';
import type { ToolContext, WorkspaceContext } from '../tools/tool.ts';

/** Most bytes, without line numbers, of all files that come with the first message: they are sent again with every call. */
const MOST_BYTES = 40_000;
/** Room for one file with its line numbers. */
const ROOM = 60_000;
/** Files of a task that are looked at. */
const MOST_FILES = 50;
/** A path with other characters could look like a part of the prompt. */
const PLAIN_PATH = /^[^"<>\p{Cc}]+$/u;

interface GivenFiles {
  /** One for each file, in the task's order. */
  blocks: string[];
  /** Workspace path → sha256, as of a read: the task may write these files. */
  seen: Record<string, string>;
}

/**
 * Reads those of a task's files that are small, as the read tool would. A file that does not fit whole is left out, and so is
 * one with the name of a secret: the task allows that it is read, and not that it is sent unasked.
 */
export async function readGivenFiles(files: readonly string[], context: ToolContext): Promise<GivenFiles> {
  const given: GivenFiles = { blocks: [], seen: {} };
  const { workspace } = context;
  if (workspace === null) return given;
  let left = MOST_BYTES;
  for (const path of new Set(files.slice(0, MOST_FILES))) {
    context.signal.throwIfAborted();
    if (!PLAIN_PATH.test(path) || isGuardedName(path)) continue;
    const found = await readSmall(path, left, { ...context, workspace });
    if (found === null) continue;
    left -= found.bytes;
    given.blocks.push(`<file path="${path}">\n${found.content}\n</file>`);
    Object.assign(given.seen, found.seen);
  }
  return given;
}

interface SmallFile {
  content: string;
  bytes: number;
  seen: Record<string, string>;
}

/** Null: it is larger, no text, closes its block, or cannot be read. */
async function readSmall(path: string, most: number, context: WorkspaceContext): Promise<SmallFile | null> {
  try {
    const real = await resolveInside(path, context);
    if (isGuardedName(real)) return null;
    const bytes = await sizeOf(real, context);
    if (bytes > most) return null;
    const whole = { from: 1, to: Infinity, character: 1, room: ROOM, signal: context.signal };
    const { content, sha256, isWhole } = await showFile(context.workspace.root, real, path, whole);
    if (!isWhole || sha256 === null || content.includes('</file>')) return null;
    return { content, bytes, seen: { [real]: sha256 } };
  } catch (error) {
    if (error instanceof ToolRefusal || errorCode(error) !== undefined) return null;
    throw error;
  }
}

/** @throws ToolRefusal for what is no regular file */
async function sizeOf(path: string, { workspace }: WorkspaceContext): Promise<number> {
  const file = await openInside(workspace.root, path);
  try {
    return (await requireRegular(file, path)).size;
  } finally {
    await file.close();
  }
}
