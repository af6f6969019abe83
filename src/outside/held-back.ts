import { OUTSIDE_VENDOR } from '../config/workspaces.ts';
import { readVendorStamp, toAllowedVendors } from '../routing/allowed-vendors.ts';

/**
 * Why no outside worker may have a task: nobody knows which models it uses. Null: it may.
 * @param task data of a job, by whatever program or version
 * @param byWorkspace vendors by name of workspace
 */
export function describeOutsideRule(
  task: unknown,
  byWorkspace: Readonly<Record<string, readonly string[]>>,
): string | null {
  const workspace: unknown = Object(task).workspace;
  const name = typeof workspace === 'string' ? workspace : undefined;
  const vendors = toAllowedVendors({ workspace: name, vendors: readVendorStamp(task) }, byWorkspace);
  if (vendors === null || vendors.includes(OUTSIDE_VENDOR)) return null;
  const where = name === undefined ? 'what it builds on' : `workspace ${name}`;
  return `${where} allows only ${vendors.join(', ') || 'no vendor'} (;vendors=… in FLEET_WORKSPACES; ${OUTSIDE_VENDOR} among them would allow it)`;
}
