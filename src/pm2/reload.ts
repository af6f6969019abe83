import type { Config } from '../config/environment.ts';
import { toKillTimeoutMs } from '../process/drain.ts';
import { toAppName, toNamespace } from './apps.ts';
import { withPm2, type Pm2Process } from './pm2.ts';
import { isDaemonThere } from './daemon.ts';
import { waitUntilReady, type ProcessProblem } from './wait-until-ready.ts';

/**
 * Restarts the processes of this swarm so that they read `.env` and the code again: half of the workers at a time, so that
 * the others work meanwhile. The fleet's own Redis keeps running.
 * @param onReloaded called once before, and for each process that is up again
 * @throws FleetError when pm2's daemon dies meanwhile, or does not answer
 */
export async function reloadFleet(
  config: Config,
  onReloaded: (left: number, total: number) => void = () => undefined,
): Promise<{ reloaded: number; problems: ProcessProblem[] }> {
  if (!isDaemonThere()) return { reloaded: 0, problems: [] };
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
