import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { toMessage } from '../errors.ts';
import { packageFolder } from './package-folder.ts';

/**
 * The folder whose `.env` the fleet reads: `FLEET_HOME`; else the project that the package is installed in, where there is one;
 * else the package's own folder.
 * @returns `problem`: why the folder cannot be used; null: it can
 */
export function findHome(wanted: string | undefined): { home: string; problem: string | null } {
  if (wanted === undefined || wanted === '') return { home: defaultHome(packageFolder), problem: null };
  const home = resolve(wanted);
  const found = statSync(home, { throwIfNoEntry: false });
  if (found === undefined) return { home, problem: `${home} is missing: name the folder that holds .env` };
  if (!found.isDirectory()) return { home, problem: `${home} is no folder: name the folder that holds .env` };
  return { home, problem: null };
}

/** @param folder the package's own */
export function defaultHome(folder: string): string {
  const [project = '', ...inside] = folder.split('/node_modules/');
  const isInProject = inside.length > 0 && existsSync(join(project, 'package.json'));
  return isInProject && !existsSync(join(folder, '.env')) ? project : folder; // a .env in the package was read before
}

/**
 * The folder of data that does not depend on a checkout: `FLEET_DATA`, else `haiku-fleet` in `XDG_DATA_HOME`, else in the user's
 * `~/.local/share`.
 */
export function findDataFolder(env: NodeJS.ProcessEnv): { folder: string; problem: string | null } {
  const { FLEET_DATA: wanted = '', XDG_DATA_HOME: shared = '' } = env;
  if (wanted !== '') return { folder: resolve(wanted), problem: null };
  if (isAbsolute(shared)) return { folder: join(shared, 'haiku-fleet'), problem: null }; // the standard ignores relative ones
  const home = findUserHome();
  const problem = isAbsolute(home) ? null : "this user has no home folder (HOME): name a folder for the fleet's data";
  return { folder: join(home, '.local', 'share', 'haiku-fleet'), problem };
}

function findUserHome(): string {
  try {
    return homedir();
  } catch (error) {
    if (/homedir/.test(toMessage(error))) return ''; // neither HOME nor an account
    throw error;
  }
}
