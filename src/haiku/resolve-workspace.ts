import { realpath, stat } from 'node:fs/promises';
import { TaskFailedError, toMessage } from '../errors.ts';

/**
 * Returns the folder of a workspace; null if the task names no workspace (there is no default).
 * @param workspaces name → absolute folder, from `FLEET_WORKSPACES`; the folder may be a link
 * @returns `root`: the real path, with all links resolved
 * @throws TaskFailedError `workspace`: the name is not known on this host, or its folder cannot be used
 */
export async function resolveWorkspace(
  name: string | undefined,
  workspaces: Record<string, string>,
): Promise<{ name: string; root: string } | null> {
  if (name === undefined) return null;
  const folder = Object.hasOwn(workspaces, name) ? workspaces[name] : undefined;
  if (folder === undefined) {
    const known = Object.keys(workspaces).join(', ') || 'none';
    throw new TaskFailedError(
      'workspace',
      `workspace ${JSON.stringify(name)}: not one of FLEET_WORKSPACES on this host (known: ${known})`,
    );
  }
  try {
    const root = await realpath(folder);
    if ((await stat(root)).isDirectory()) return { name, root };
  } catch (error) {
    throw new TaskFailedError(
      'workspace',
      `workspace ${JSON.stringify(name)}: its folder cannot be used: ${toMessage(error)}`,
      {
        cause: error,
      },
    );
  }
  throw new TaskFailedError('workspace', `workspace ${JSON.stringify(name)}: expected a folder, its path is a file`);
}
