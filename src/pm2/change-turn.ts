import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '../files/make-folder.ts';
import { isAlive } from '../process/program/is-alive.ts';
import { readStart } from '../process/program/read-start.ts';
import { daemonFolder } from './daemon.ts';

/** A command that changes what pm2 runs. */
export interface Changer {
  command: string;
  pid: number;
}

const CLAIM = /^haiku-fleet\.(\d+)\.(\d+)\.([a-z]+)\.claim$/;
const LOOK_EVERY_MS = 100;

/**
 * Does work that changes what pm2 runs, while no other command does so: both would count the same processes and start what
 * they miss. Each command writes a claim of its own into pm2's folder and then looks for others. A claim names its process, so that one left by
 * a crash is known and removed; no two processes ever have a claim of the same name.
 * @param onWait called while another command works
 */
export async function inTurn<T>(command: string, onWait: (other: Changer) => void, work: () => Promise<T>): Promise<T> {
  const folder = daemonFolder();
  await makeFolder(folder, { setting: 'PM2_HOME' });
  const claim = join(folder, `haiku-fleet.${process.pid}.${readStart(process.pid)}.${command}.claim`);
  try {
    for (let tries = 0; ; tries += 1) {
      writeFileSync(claim, '', { mode: 0o600 });
      const other = findOther(folder, command);
      if (other === null) return await work();
      rmSync(claim, { force: true }); // of two that claim at the same moment both may withdraw, and try again
      if (tries > 0) onWait(other);
      await sleep(LOOK_EVERY_MS * (1 + Math.random()));
    }
  } finally {
    rmSync(claim, { force: true });
  }
}

function findOther(folder: string, mine: string): Changer | null {
  for (const name of readdirSync(folder)) {
    const [, pid = '', start = '', command = ''] = CLAIM.exec(name) ?? [];
    if (pid === '' || Number(pid) === process.pid) continue;
    if (mine === 'down' && command === 'down') continue; // `down --now` hastens a `down` that waits for long calls
    if (isAlive(Number(pid)) && readStart(Number(pid)) === start) return { command, pid: Number(pid) };
    rmSync(join(folder, name), { force: true });
  }
  return null;
}
