import type { ToolContext, WorkspaceContext } from './tool.ts';

/** A request of the model that a tool refuses. The model gets the message: the thing, the rule, what to do instead. */
export class ToolRefusal extends Error {
  override name = 'ToolRefusal';
}

/** Returns the `code` of a system error (`ENOENT`); undefined for any other error. */
export function errorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** For `catch`: returns undefined if the file does not exist. @throws any other error */
export function ignoreMissing(thrown: unknown): undefined {
  if (errorCode(thrown) !== 'ENOENT') throw thrown;
}

const WORDS: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted (read-only by an attribute or a rule of the system)',
  EROFS: 'lies on a read-only file system',
  EDQUOT: 'the quota of the disk is used up',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'is a folder, not a file',
  ELOOP: 'a part of the path is a link that may not be followed',
  ENAMETOOLONG: 'the name is too long',
  ENOSPC: 'no space left on the disk',
  ENXIO: 'is not a regular file',
};

/**
 * Turns a system error about `path` into a refusal; Node's message would show the model the host's absolute path. Any other
 * error is returned as it is.
 */
export function toRefusal(thrown: unknown, path: string): unknown {
  const code = errorCode(thrown);
  if (code === undefined || thrown instanceof ToolRefusal || !/^E[A-Z0-9]+$/.test(code)) return thrown;
  return new ToolRefusal(`${JSON.stringify(path)}: ${WORDS[code] ?? `input/output error ${code}`}`, { cause: thrown });
}

/**
 * For tools that change files: as `requireWorkspace`, after the task has got its own working tree, where it is to have one.
 * @throws ToolRefusal if the task has no workspace; TaskFailedError if the tree cannot be made
 */
export async function requireWritable(given: ToolContext): Promise<WorkspaceContext> {
  const context = requireWorkspace(given);
  await context.workspace.prepareWrite?.(context);
  return context;
}

/** @throws ToolRefusal if the task has no workspace */
export function requireWorkspace(context: ToolContext): WorkspaceContext {
  if (context.workspace === null) {
    throw new ToolRefusal(
      'this task has no workspace, so there are no files; answer from the task text, or hand it back',
    );
  }
  return { ...context, workspace: context.workspace };
}
