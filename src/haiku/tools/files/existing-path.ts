import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { normalize } from '../../../text/normalize.ts';
import { errorCode, ToolRefusal } from '../tool-refusal.ts';

/** A part of the path that is not there, cannot be looked into, or is no folder: what follows is left as it is. */
const UNKNOWN = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG']);

/**
 * Spells a path as its files are stored. A letter with an accent has two forms that look alike, composed (NFC) and decomposed
 * (NFD); models write the first, macOS stored the second. An entry of exactly this name comes first, else the one that looks
 * the same; so no tool makes a second file of the same visible name.
 * @param path relative to the root, without `..`
 * @throws ToolRefusal if two entries look like a name and neither is exactly it
 */
export async function toExistingPath(root: string, path: string): Promise<string> {
  if (await exists(join(root, path))) return path;
  const parts = path.split('/');
  const found: string[] = [];
  for (const [i, part] of parts.entries()) {
    const name = await toExistingName(root, found.join('/'), part);
    if (name === null) return [...found, ...parts.slice(i)].join('/');
    found.push(name);
  }
  return found.join('/');
}

/** Null: there is no such entry. */
async function toExistingName(root: string, folder: string, name: string): Promise<string | null> {
  if (name === '' || name === '.' || (await exists(join(root, folder, name)))) return name;
  const real = await realpath(join(root, folder)).catch(ignoreUnknown);
  if (real === undefined || (real !== root && !real.startsWith(`${root}/`))) return null;
  const entries = (await readdir(real).catch(ignoreUnknown)) ?? [];
  const wanted = normalize(name, 'NFC');
  const alike = entries.filter((entry) => normalize(entry, 'NFC') === wanted);
  if (alike.length > 1) {
    const names = alike.toSorted().map(toAscii).join(' and ');
    throw new ToolRefusal(
      `path ${toAscii(name)}: names of that look are ${names}, in different Unicode forms; give one exactly, or rename one with a program`,
    );
  }
  return alike[0] ?? null;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(ignoreUnknown)) !== undefined;
}

function ignoreUnknown(error: unknown): undefined {
  if (!UNKNOWN.has(errorCode(error) ?? '')) throw error;
}

/** A name in quotes, all but ASCII escaped, so that names that look alike can be told apart. */
function toAscii(name: string): string {
  return JSON.stringify(name).replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
