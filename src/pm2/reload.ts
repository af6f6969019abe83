import { existsSync } from 'node:fs';
import type { Config } from '../config/environment.ts';
import { toKillTimeoutMs } from '../process/drain.ts';
import { toAppName } from './apps.ts';
import { inTurn, type Changer } from './change-turn.ts';
import { toNamespace } from './hand-over.ts';
import { withPm2, type Pm2Process } from './pm2.ts';
import { daemonFolder, isDaemonThere } from './daemon.ts';
import { waitUntilReady, type ProcessProblem } from './wait-until-ready.ts';

export interface ReloadOptions {
  /** Called once before, and for each process that is up again. */
  onReloaded: (left: number, total: number) => void;
  /** Called while another command changes what pm2 runs. */
  onWait: (other: Changer) => void;
}

interface ReloadReport {
  reloaded: number;
  problems: ProcessProblem[];
}

const NOTHING: ReloadReport = { reloaded: 0, problems: [] };

/**
 * Restarts the processes of this swarm so that they read `.env` and the code again: half of the workers at a time, so that
 * the others work meanwhile. The fleet's own Redis keeps running.
 * @throws FleetError when pm2's daemon dies meanwhile, or does not answer
 */
export async function reloadFleet(config: Config, { onReloaded, onWait }: ReloadOptions): Promise<ReloadReport> {
  if (!existsSync(daemonFolder())) return NOTHING;
  return inTurn('reload', onWait, () => restartAll(config, onReloaded));
}

async function restartAll(config: Config, onReloaded: ReloadOptions['onReloaded']): Promise<ReloadReport> {
  if (!isDaemonThere()) return NOTHING;
  return withPm2(async (pm2) => {
    const since = Date.now();
    const listed = await pm2.list(toNamespace(config));
    const mine = listed.filter((process) => process.name !== toAppName(config, 'redis'));
    let left = mine.length;
    onReloaded(left, mine.length);
    const restart = (process: Pm2Process): Promise<void> =>
      pm2.restart(process, toKillTimeoutMs(config)).then(() => onReloaded((left -= 1), mine.length));
    for (const group of toHalves(mine)) await Promise.all(group.map(restart));
    const names = [...new Set(mine.map((process) => process.name))];
    const apps = names.map((name) => ({
      name,
      namespace: toNamespace(config),
      instances: mine.filter((process) => process.name === name).length,
    }));
    return { reloaded: mine.length, problems: await waitUntilReady(pm2, apps, since) };
  });
}

/** Two groups, each with about half of every app's processes. */
function toHalves(processes: Pm2Process[]): Pm2Process[][] {
  const sorted = processes.toSorted((a, b) => a.name.localeCompare(b.name));
  return [0, 1].map((half) => sorted.filter((_, index) => index % 2 === half)).filter((group) => group.length > 0);
}
