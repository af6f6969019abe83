import { glob } from 'tinyglobby';
import { posix } from 'node:path';
import { ToolRefusal } from '../tool-refusal.ts';
import { resolveInside } from './safe-path.ts';
import type { WorkspaceContext } from '../tool.ts';

/**
 * Lists the files of a folder that a tool may open, sorted by path, relative to the workspace. The SDK's glob needs Node 22.
 * tinyglobby can leave its folder through `..` and links, so every match is checked.
 * @param folder relative to the workspace, resolved; '' is the workspace
 * @throws the signal's reason
 */
export async function listFiles(
  pattern: string,
  folder: string,
  context: Pick<WorkspaceContext, 'workspace' | 'files' | 'signal'>,
): Promise<string[]> {
  const found = await glob(pattern, {
    cwd: posix.join(context.workspace.root, folder),
    dot: true,
    deep: 40,
    expandDirectories: false,
    extglob: false,
    followSymbolicLinks: false,
    ignore: ['**/.git/**', '**/node_modules/**'],
    signal: context.signal,
  });
  return keepAllowed(found.map((file) => posix.join(folder, file)).toSorted(), context);
}

/** Keeps the paths that a tool may open and that lead through no link, each once. */
async function keepAllowed(
  paths: string[],
  context: Pick<WorkspaceContext, 'workspace' | 'files' | 'signal'>,
): Promise<string[]> {
  const kept = new Set<string>();
  for (const path of paths) {
    context.signal.throwIfAborted();
    try {
      if (posix.normalize(path) === (await resolveInside(path, context))) kept.add(path);
    } catch (error) {
      if (!(error instanceof ToolRefusal)) throw error;
    }
  }
  return [...kept];
}
