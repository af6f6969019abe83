import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors.ts';

/** The folder with the package's `package.json`: two levels above this file's in the source, three in `dist`. */
export const packageFolder = findPackageFolder(dirname(fileURLToPath(import.meta.url)));

/** The version in the package's `package.json`. */
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
