import type { Config } from '../config/environment.ts';
import { toNamespace } from '../pm2/apps.ts';
import { isDaemonThere } from '../pm2/daemon.ts';
import { withPm2 } from '../pm2/pm2.ts';
import { isPortFree } from '../redis/server/embedded.ts';
import { unwell, well, type CheckResult } from './check.ts';

/** Checks pm2's processes of this swarm. Does not start pm2's daemon. */
export async function checkProcesses(config: Config): Promise<CheckResult[]> {
  if (!isDaemonThere()) return [well('pm2', 'not running: fleet up starts it')];
  const mine = await withPm2((pm2) => pm2.list(toNamespace(config)));
  if (mine.length === 0) return [well('pm2', `runs nothing of swarm ${toNamespace(config)}: fleet up starts it`)];
  return mine.map(({ name, pid, status, restarts, exitCode, errorLog }) => {
    const what = `pm2 ${name}`;
    if (status === 'online') return well(what, `online, pid ${pid}, ${restarts} restarts`);
    return unwell(what, `${status}, last exit code ${exitCode ?? 'none'}`, `read ${errorLog}, then fleet up`);
  });
}

/** Checks that the dashboard's port is free, or that the dashboard uses it. */
export async function checkPort(config: Config): Promise<CheckResult> {
  const { DASHBOARD_PORT: port, DASHBOARD_HOST: host } = config;
  if (port === 0 || (await isPortFree(port, host))) return well('dashboard port', `${host}:${port} is free`);
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const answer = await fetch(`http://${shown}:${port}/healthz`, { signal: AbortSignal.timeout(2_000) }).catch(
    () => null,
  );
  if (answer?.ok) return well('dashboard port', `${host}:${port} is served and healthy`);
  if (answer?.status === 503) return unwell('dashboard port', 'the dashboard has no Redis', 'see the lines on Redis');
  return unwell('dashboard port', `${host}:${port} is taken by another program`, 'choose another DASHBOARD_PORT');
}
