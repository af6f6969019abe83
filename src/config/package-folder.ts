import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors.ts';

/** The package's own folder: two levels up from this file's folder in the source, three in `dist`. */
export const packageFolder = findPackageFolder(dirname(fileURLToPath(import.meta.url)));

/** The version that the package's own `package.json` names. */
export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  return version;
}

function findPackageFolder(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new ConfigError('package.json of the fleet was not found above its own code');
  return findPackageFolder(parent);
}
