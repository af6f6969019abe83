import { readdir, readFile } from 'node:fs/promises';

/** The variable that marks a program and all that it starts, unless they change their environment. */
export const MARK = 'FLEET_RUN_ID';
/** Processes may start others while they are ended. */
const MOST_ROUNDS = 50;

/**
 * Ends all processes that carry the mark and left the program's process group (`setsid`, daemons). Linux only: elsewhere no
 * process shows its environment.
 * @param group the program's own, which the caller has ended
 * @returns how many there were
 */
export async function endLeftBehind(mark: string, group: number): Promise<number> {
  const ended = new Set<number>();
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const found = await findMarked(mark, group);
    if (found.length === 0) break;
    for (const pid of found) {
      ended.add(pid);
      endOne(pid);
    }
  }
  return ended.size;
}

/** A process that has ended and is not collected yet shows no environment. */
async function findMarked(mark: string, group: number): Promise<number[]> {
  const entry = Buffer.from(`${MARK}=${mark}\0`);
  const names = await readdir('/proc').catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const environment = await readFile(`/proc/${name}/environ`).catch(() => null); // ended, or of another user
        if (environment?.includes(entry) !== true) return [];
        const its = await readGroup(name);
        return its === null || its === group ? [] : [Number(name)];
      }),
  );
  return found.flat();
}

/** Null: it has ended. */
async function readGroup(pid: string): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the fifth field; the second may hold blanks
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}

function endOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error; // ended meanwhile, or of another user
  }
}
