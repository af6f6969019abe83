import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { list } from './fields.ts';

/** What ends a folder: the vendors that may see what is in it, `;vendors=anthropic|google`. */
const VENDORS = /;vendors=(?<vendors>.*)$/;

/** The word in a list of vendors that stands for agents and programs outside of the fleet, whose models nobody knows. */
export const OUTSIDE_VENDOR = 'outside';

/** `name=/absolute/folder`, or `name=/absolute/folder;vendors=anthropic|google`, separated by commas: folders by name. */
export const workspaces = list.transform((items, context) => {
  const found = Object.create(null) as Record<string, string>; // a task may name any word, `constructor` included
  const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
  for (const whole of items) {
    const item = whole.replace(VENDORS, '');
    const end = item.indexOf('=');
    const name = item.slice(0, end);
    const path = item.slice(end + 1);
    const wrong = splitVendors(whole)?.find((vendor) => !/^[a-z][a-z0-9-]{0,39}$/.test(vendor));
    if (end < 1 || !/^[^\s:{}"'`]+$/.test(name) || !isAbsolute(path) || /;[^\s=/]+=\//.test(path)) {
      const comma =
        end < 0 && items.length > 1 ? ' (a comma ends a folder: name one with a comma by a link without it)' : '';
      const other = /;|["'`]/.test(item) ? ', without quotes, and a comma between two' : '';
      refuse(`expected name=/absolute/folder${other}, got ${JSON.stringify(item)}${comma}`);
    } else if (found[name] !== undefined && found[name] !== resolve(path)) {
      refuse(`expected each name once, got ${JSON.stringify(name)} for ${found[name]} and for ${path}`);
    } else if (wrong !== undefined) {
      const meant = `expected vendors of workspace ${name} like ;vendors=anthropic|google`;
      refuse(`${meant}, got ${JSON.stringify(whole.slice(item.length))}`);
    } else found[name] = resolve(path);
  }
  return found;
});

/**
 * The vendors that may see what is in a workspace, by its name; one that is not named here is open to all. Where a workspace is
 * written twice, only what both lines allow is allowed.
 * @param text what `workspaces` has accepted
 */
export function readWorkspaceVendors(text: string): Record<string, string[]> {
  const found = Object.create(null) as Record<string, string[]>;
  for (const item of text.split(',').map((part) => part.trim())) {
    const vendors = splitVendors(item);
    const name = item.slice(0, item.indexOf('='));
    const before = found[name];
    if (vendors !== null) found[name] = before === undefined ? vendors : before.filter((one) => vendors.includes(one));
  }
  return found;
}

/** Null: the workspace is open to all vendors. */
function splitVendors(item: string): string[] | null {
  const text = VENDORS.exec(item)?.groups?.['vendors'];
  return text === undefined ? null : [...new Set(text.split('|').map((vendor) => vendor.trim()))];
}

/** Why tasks cannot use a workspace on this host, and what to do; null: they can. */
export async function findWorkspaceProblem(path: string): Promise<{ seen: string; fix: string } | null> {
  try {
    if (!(await stat(path)).isDirectory()) {
      return { seen: `${path} is no folder`, fix: 'name a folder in FLEET_WORKSPACES' };
    }
    await access(path, constants.R_OK | constants.X_OK);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isMissing
      ? { seen: `${path} is missing`, fix: `mkdir -p ${path}, or correct FLEET_WORKSPACES` }
      : {
          seen: `${path} is closed to this user`,
          fix: `give this user the right to read it, or correct FLEET_WORKSPACES`,
        };
  }
  return access(path, constants.W_OK).then(
    () => null,
    () => ({
      seen: `${path} cannot be written by this user`,
      fix: 'give this user the right to write: tasks change files there',
    }),
  );
}
