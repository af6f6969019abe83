import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FleetError } from '../errors.ts';
import { isAlive } from '../process/program/is-alive.ts';

const LOOK_EVERY_MS = 500;

/** Whether pm2's daemon runs. Looks for its socket, because a call of pm2 would start a daemon. */
export function isDaemonThere(env: NodeJS.ProcessEnv = process.env): boolean {
  return existsSync(join(daemonFolder(env), 'rpc.sock'));
}

/**
 * Waits for an answer of pm2's daemon until a deadline: pm2's own client waits for ever for a daemon that has died.
 * @param what it was asked to do, for the error: "list its processes"
 * @param pid of the daemon; null where it is not known: then only the deadline is checked
 * @throws FleetError when the daemon has died, or has not answered within `deadlineMs`
 */
export async function withinDeadline<T>(
  what: string,
  pid: number | null,
  deadlineMs: number,
  answer: Promise<T>,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  let timer: NodeJS.Timeout | undefined;
  const givenUp = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (pid !== null && !isAlive(pid)) {
        reject(
          new FleetError(
            `pm2's daemon (pid ${pid}) died when it was to ${what}. Processes that it had started may still run: \`fleet status\` names the workers that are up; \`fleet up\` starts a new daemon, which does not know them`,
          ),
        );
      } else if (Date.now() > deadline) {
        const waited = `${Math.round(deadlineMs / 1_000)} s`;
        reject(
          new FleetError(`pm2's daemon did not ${what} within ${waited}; \`npx pm2 ls\` shows whether it answers`),
        );
      }
    }, LOOK_EVERY_MS);
  });
  try {
    return await Promise.race([answer, givenUp]);
  } finally {
    clearInterval(timer);
  }
}

/** pm2's own folder. */
export function daemonFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.PM2_HOME || join(homedir(), '.pm2');
}

/** Null where pm2 has not written it. After a daemon that died it is the old one's until a new one is up. */
export function readDaemonPid(): number | null {
  const path = join(daemonFolder(), 'pm2.pid');
  const pid = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}
