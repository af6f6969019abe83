import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/environment.ts';
import { configSecrets } from '../config/redact.ts';
import { toNamespace } from '../pm2/hand-over.ts';
import { daemonFolder, isDaemonThere } from '../pm2/daemon.ts';
import { withPm2 } from '../pm2/pm2.ts';
import { MOST_LOG_BYTES } from '../process/logs/log-files.ts';
import { isPortFree } from '../redis/server/embedded.ts';
import { unwell, well, type CheckResult } from './check.ts';

/** Checks pm2's processes of this swarm. Does not start pm2's daemon. */
export async function checkProcesses(config: Config): Promise<CheckResult[]> {
  if (!isDaemonThere()) return [well('pm2', 'not running: fleet up starts it')];
  const mine = await withPm2((pm2) => pm2.list(toNamespace(config)));
  if (mine.length === 0) return [well('pm2', `runs nothing of swarm ${toNamespace(config)}: fleet up starts it`)];
  return mine.map(({ name, pid, status, restarts, exitCode, errorLog, secrets }) => {
    const what = `pm2 ${name}`;
    if (secrets.length > 0) {
      return unwell(
        what,
        `pm2 stores ${secrets.join(', ')} of it, and shows and saves it`,
        'fleet down, then fleet up',
      );
    }
    if (status === 'online') return well(what, `online, pid ${pid}, ${restarts} restarts`);
    return unwell(what, `${status}, last exit code ${exitCode ?? 'none'}`, `read ${errorLog}, then fleet up`);
  });
}

/** Whether the log files of this swarm's processes keep their bound: each process puts its own aside. */
export function checkLogFiles(config: Config): CheckResult {
  const folder = join(daemonFolder(), 'logs');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const large = names.filter((name) => {
    if (!name.startsWith(`${toNamespace(config)}-`)) return false;
    return (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0) > 2 * MOST_LOG_BYTES;
  });
  const bound = `${MOST_LOG_BYTES / 2 ** 20} MiB`;
  if (large.length === 0) return well('log files', `put aside by each process at ${bound}, one older file is kept`);
  const fix = 'fleet reload, so that this version puts them aside; delete those of processes that no longer run';
  return unwell(
    'log files',
    `${large.map((name) => join(folder, name)).join(', ')}: larger than two files of ${bound}`,
    fix,
  );
}

/** Whether pm2's saved list (`pm2 save`) holds a secret of this configuration. */
export function checkSavedList(config: Config): CheckResult[] {
  const secrets = configSecrets(config).filter((secret) => secret.length >= 6);
  return ['dump.pm2', 'dump.pm2.bak'].flatMap((name) => {
    const path = join(daemonFolder(), name);
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    const found = lines.flatMap((line, index) => (secrets.some((secret) => line.includes(secret)) ? [index + 1] : []));
    if (found.length === 0) return [];
    const fix = 'fleet down, fleet up, then npx pm2 save --force; change the key if others could read the file';
    return [unwell('pm2 save', `${path} holds a secret in line ${found.join(', ')}`, fix)];
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
