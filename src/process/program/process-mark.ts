import { readFileSync, readlinkSync } from 'node:fs';
import { isAlive } from './is-alive.ts';

/** A process as others on its machine recognise it, also after its id is used again. */
export interface ProcessMark {
  /** The machine since it started, and the name space of process ids in it: in two of them the same id means two processes. */
  machine: string;
  pid: number;
  /** When the process began, in the system's own unit. */
  began: string;
}

/** The mark of this process. Null: not Linux, so that no other process can find out whether it still runs. */
export function readOwnMark(): ProcessMark | null {
  try {
    const machine = `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${readlinkSync('/proc/self/ns/pid')}`;
    const began = readStat(process.pid)?.began;
    return began === undefined ? null : { machine, pid: process.pid, began };
  } catch {
    return null;
  }
}

/**
 * Whether a marked process has certainly ended. False where that cannot be known: it ran on another machine.
 * @param own the mark of this process
 */
export function hasEnded(mark: ProcessMark, own: ProcessMark): boolean {
  if (mark.machine !== own.machine) return false;
  if (!isAlive(mark.pid)) return true;
  const stat = readStat(mark.pid); // null: the system shows no processes of other users
  return stat !== null && (stat.began !== mark.began || stat.isOver);
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the third field and the 22nd; the second may hold blanks. */
function readStat(pid: number): { began: string; isOver: boolean } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { began: fields[19] ?? '', isOver: /^[ZX]$/.test(fields[0] ?? '') };
  } catch {
    return null;
  }
}
