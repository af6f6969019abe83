import type { ToolContext, WorkspaceContext } from './tool.ts';

/** The model asked for something that cannot be. The message goes to the model: the thing, the rule, what to do instead. */
export class ToolRefusal extends Error {
  override name = 'ToolRefusal';
}

/** The `code` of a system error (`ENOENT`), or undefined for anything else thrown. */
export function errorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** For `catch`: undefined when there was no such file, anything else is thrown on. */
export function ignoreMissing(thrown: unknown): undefined {
  if (errorCode(thrown) !== 'ENOENT') throw thrown;
}

const WORDS: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'is a folder, not a file',
  ELOOP: 'a part of the path is a link that may not be followed',
  ENAMETOOLONG: 'the name is too long',
  ENOSPC: 'no space left on the disk',
  ENXIO: 'is not a regular file',
};

/** Words for a system error about `path`. Node's own message would show the host's absolute path. */
export function toRefusal(thrown: unknown, path: string): unknown {
  const code = errorCode(thrown);
  if (code === undefined || thrown instanceof ToolRefusal || !/^E[A-Z0-9]+$/.test(code)) return thrown;
  return new ToolRefusal(`${JSON.stringify(path)}: ${WORDS[code] ?? `input/output error ${code}`}`, { cause: thrown });
}

/** @throws ToolRefusal when the task has no workspace */
export function requireWorkspace(context: ToolContext): WorkspaceContext {
  if (context.workspace === null) {
    throw new ToolRefusal(
      'this task has no workspace, so there are no files; answer from the task text, or hand it back',
    );
  }
  return { ...context, workspace: context.workspace };
}
