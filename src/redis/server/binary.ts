import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { RedisUnusableError } from '../../errors.ts';

export interface ServerBinary {
  path: string;
  /** The name it must be started under to serve. */
  argv0: string;
}

/** Folders that a service's or a desktop's PATH often lacks. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin', '/opt/homebrew/bin'];

/**
 * The redis-server of this machine. Debian's `redis-tools` carries the same program as `redis-check-rdb`, without a
 * service: under the name `redis-server` it serves (https://packages.debian.org/bookworm/redis-tools).
 */
export function findRedisServer(searchPath = process.env.PATH ?? ''): ServerBinary | null {
  const folders = [...searchPath.split(delimiter).filter(Boolean), ...(searchPath === '' ? [] : USUAL_FOLDERS)];
  for (const name of ['redis-server', 'valkey-server', 'redis-check-rdb']) {
    const path = folders.map((folder) => join(folder, name)).find(isProgram);
    if (path !== undefined) return { path, argv0: name === 'redis-check-rdb' ? 'redis-server' : name };
  }
  return null;
}

/** The one line that puts a redis-server on this machine, without starting a service. */
export function installLine(platform: NodeJS.Platform = process.platform): string {
  return platform === 'darwin' ? 'brew install redis' : 'apt-get install -y redis-tools';
}

export function missingServer(): RedisUnusableError {
  return new RedisUnusableError(`no redis-server on this machine; install it with: ${installLine()}`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
