import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { RedisUnusableError } from '../../errors.ts';

export interface ServerBinary {
  path: string;
  /** The name under which it runs as a server. */
  argv0: string;
}

/** Folders that the PATH of a service or a desktop often lacks. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin', '/opt/homebrew/bin'];

/**
 * Finds the redis-server of this machine. Debian's `redis-tools` installs the same program as `redis-check-rdb`, without a
 * service: under the name `redis-server` it runs as a server (https://packages.debian.org/bookworm/redis-tools).
 */
export function findRedisServer(searchPath = process.env.PATH ?? ''): ServerBinary | null {
  const folders = [...searchPath.split(delimiter).filter(Boolean), ...(searchPath === '' ? [] : USUAL_FOLDERS)];
  for (const name of ['redis-server', 'valkey-server', 'redis-check-rdb']) {
    const path = folders.map((folder) => join(folder, name)).find(isProgram);
    if (path !== undefined) return { path, argv0: name === 'redis-check-rdb' ? 'redis-server' : name };
  }
  return null;
}

/** The command line that installs a redis-server, without starting a service. */
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
