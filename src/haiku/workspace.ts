import { realpath, stat } from 'node:fs/promises';
import { TaskFailedError, toMessage } from '../errors.ts';

export interface Workspace {
  name: string;
  /** Real path: every link in it is resolved. */
  root: string;
}

/**
 * The folder behind a workspace name, or null when the task names none (there is no default).
 * @param workspaces name → absolute folder, from `FLEET_WORKSPACES`; the folder may itself be a link
 * @throws TaskFailedError reason `workspace`: the name is not known on this host, or its folder is missing
 */
export async function resolveWorkspace(
  name: string | undefined,
  workspaces: Record<string, string>,
): Promise<Workspace | null> {
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
