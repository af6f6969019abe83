import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { isAlive } from '../../../process/program/is-alive.ts';
import { readStart } from '../../../process/program/read-start.ts';

/** Returns a name for a folder of this process, by which another process finds out whether this one still runs. */
export function nameOwned(): string {
  return `apply.${process.pid}.${readStart(process.pid)}.${randomBytes(6).toString('hex')}.${hostname()}`;
}

/** `running`: its process exists. `foreign`: it belongs to another host or container, which alone can tell. */
export function readOwner(name: string): 'running' | 'ended' | 'foreign' | null {
  const match = /^apply\.(\d+)\.(\d+)\.[0-9a-f]+\.(.+)$/.exec(name);
  if (match === null) return null;
  if (match[3] !== hostname()) return 'foreign';
  const pid = Number(match[1]);
  return isAlive(pid) && (match[2] === '0' || readStart(pid) === match[2]) ? 'running' : 'ended';
}
