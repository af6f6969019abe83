import { access, constants } from 'node:fs/promises';
import type { Config } from '../../src/config/environment.ts';
import { openPersonTree } from '../../src/patches/apply/person/person-tree.ts';
import type { PatchRecord } from '../../src/patches/types.ts';

/** What a person can do with a patch in a page. */
export type PatchAction = 'apply' | 'discard' | 'undo';

/** @returns the actions that a patch's state leaves; of a discarded one `apply` takes it back while its text is kept */
export function actionsOf({ state }: PatchRecord): PatchAction[] {
  switch (state) {
    case 'pending':
    case 'conflict':
      return ['apply', 'discard'];
    case 'applied':
      return ['undo'];
    case 'discarded':
      return ['apply'];
    case 'empty':
      return [];
  }
}

/** Finds out why this process cannot change the workspace of a patch. @returns null: it can */
export async function findObstacle(
  { FLEET_WORKSPACES: workspaces }: Config,
  { workspace, findingId, host }: PatchRecord,
): Promise<string | null> {
  const elsewhere = `on ${host}: fleet apply, discard or undo ${findingId}`;
  const folder = Object.hasOwn(workspaces, workspace) ? workspaces[workspace] : undefined;
  if (folder === undefined) {
    return `workspace ${workspace} is not in FLEET_WORKSPACES of this dashboard; ${elsewhere}`;
  }
  return await access(folder, constants.W_OK).then(
    () => null,
    () => `workspace ${workspace}: the dashboard cannot write to ${folder}; ${elsewhere}`,
  );
}

/** Reads the branch to which a commit would go. @returns null: HEAD is detached. @throws PatchError; GitError */
export async function readBranch({ FLEET_WORKSPACES: workspaces }: Config, workspace: string): Promise<string | null> {
  const { head } = await openPersonTree(workspace, workspaces, new AbortController().signal);
  return head.branch?.replace('refs/heads/', '') ?? null;
}
