import { stat } from 'node:fs/promises';
import { isAbsolute, join, posix, relative, sep } from 'node:path';
import { toExistingPath } from './existing-path.ts';
import { isGitInternal, isGuardedName, isNamed } from './secret-names.ts';
import { ToolRefusal, toRefusal } from '../tool-refusal.ts';
import type { WorkspaceContext } from '../tool.ts';

/**
 * Resolves a path that the model gave: returns the real path relative to the workspace's root, with all links resolved; ''
 * is the root. The file need not exist; a name that exists in another Unicode form is that file's. A link may appear after
 * the check, so open the path only with `openInside`, which follows no link.
 * @throws ToolRefusal for a path outside the workspace or under `.git`, and for a guarded name that the task does not list
 */
export async function resolveInside(
  input: string,
  context: Pick<WorkspaceContext, 'workspace' | 'files'>,
): Promise<string> {
  const shown = JSON.stringify(input);
  if (input.includes('\0')) throw new ToolRefusal(`path ${shown}: a path may not contain a NUL byte`);
  if (isAbsolute(input)) {
    throw new ToolRefusal(`path ${shown}: expected a path relative to the workspace, got an absolute one`);
  }
  const plain = posix.normalize(input);
  if (plain === '..' || plain.startsWith('../')) throw outside(shown);
  const { root } = context.workspace;
  // Loaded with the first path: it brings the SDK's shell and skills along, which the fleet never uses.
  const { resolvePath } = await import('@anthropic-ai/sdk/tools/agent-toolset/node');
  let real: string;
  try {
    real = await resolvePath({ workdir: root }, await toExistingPath(root, plain));
  } catch (error) {
    if (error instanceof Error && error.name === 'ToolError') throw new ToolRefusal(error.message, { cause: error });
    throw toRefusal(error, input);
  }
  const path = relative(root, real).split(sep).join('/');
  if (path === '..' || path.startsWith('../') || isAbsolute(path)) throw outside(shown);
  checkNames(plain, path, context.files);
  return path;
}

function outside(shown: string): ToolRefusal {
  return new ToolRefusal(`path ${shown}: leads outside the workspace; tools stay inside it, links included`);
}

function checkNames(asked: string, real: string, files: readonly string[]): void {
  const shown = JSON.stringify(asked);
  if (isGitInternal(asked) || isGitInternal(real)) {
    throw new ToolRefusal(`path ${shown}: lies under .git, which only the git tool touches`);
  }
  if (!isAllowedName(asked, files) || !isAllowedName(real, files)) {
    throw new ToolRefusal(
      `path ${shown}: is named like a file of secrets; it can be used only by a task that lists it in its "files"`,
    );
  }
}

/** Whether the name of a real path allows its use. */
export function isAllowedName(path: string, files: readonly string[]): boolean {
  return !isGuardedName(path) || isNamed(path, files);
}

/**
 * Returns the absolute path of a folder, in which a process may start.
 * @param input as the model gave it; undefined: the workspace's root
 */
export async function resolveFolder(input: string | undefined, context: WorkspaceContext): Promise<string> {
  const { root } = context.workspace;
  if (input === undefined) return root;
  const folder = join(root, await resolveInside(input, context));
  const stats = await stat(folder).catch((error: unknown) => {
    throw toRefusal(error, input);
  });
  if (!stats.isDirectory()) throw new ToolRefusal(`path ${JSON.stringify(input)}: expected a folder`);
  return folder;
}
