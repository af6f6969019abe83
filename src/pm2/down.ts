import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/environment.ts';
import { toAppName } from './apps.ts';
import { inTurn, type Changer } from './change-turn.ts';
import { forgetHandedOver, toNamespace } from './hand-over.ts';
import { withPm2, type Pm2, type Pm2Process } from './pm2.ts';
import { daemonFolder, isDaemonThere } from './daemon.ts';

/** Between two signals: a process counts the second only after it has handled the first. */
const BETWEEN_SIGNALS_MS = 300;

export interface DownOptions {
  now: boolean;
  /** Called once before, and for each process that has ended. */
  onEnded?: (left: number, total: number) => void;
  /** Called while another command changes what pm2 runs. */
  onWait?: (other: Changer) => void;
}

/**
 * Ends every process of this swarm and no other, the fleet's own Redis last. Running turns end and are stored, and their jobs
 * wait again; with `now` they have 5 seconds.
 * @returns how many processes ended
 * @throws FleetError when pm2's daemon dies meanwhile, or does not answer
 */
export async function bringDown(config: Config, options: DownOptions): Promise<number> {
  if (!existsSync(daemonFolder())) return 0;
  return inTurn('down', options.onWait ?? ignore, () => endAll(config, options));
}

async function endAll(config: Config, options: DownOptions): Promise<number> {
  if (!isDaemonThere()) return 0;
  const count = await withPm2(async (pm2) => {
    const mine = await pm2.list(toNamespace(config));
    const redis = mine.filter((process) => process.name === toAppName(config, 'redis'));
    const others = mine.filter((process) => !redis.includes(process));
    let left = mine.length;
    const onEnded = (): void => options.onEnded?.((left -= 1), mine.length);
    options.onEnded?.(left, mine.length);
    await end(pm2, others, options.now, onEnded);
    await end(pm2, redis, options.now, onEnded);
    return mine.length;
  });
  forgetHandedOver(config);
  return count;
}

const ignore = (): void => undefined;

async function end(pm2: Pm2, processes: Pm2Process[], now: boolean, onEnded: () => void): Promise<void> {
  const ending = Promise.all(processes.map((process) => pm2.remove(process).then(onEnded)));
  if (now && processes.length > 0) {
    await sleep(BETWEEN_SIGNALS_MS);
    for (const { pid } of processes) signal(pid);
  }
  await ending;
}

function signal(pid: number): void {
  if (pid <= 0) return;
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // it has ended meanwhile
  }
}
