import { join } from 'node:path';
import type { Config } from '../config/environment.ts';
import { packageFolder } from '../config/package-folder.ts';
import { toKillTimeoutMs } from '../process/drain.ts';
import { EXIT_CONFIG } from '../process/exit-config.ts';

export type AppKind = 'redis' | 'dashboard' | 'coordinator' | 'haiku' | 'librarian';

/** How many processes of a kind, where the configuration's number does not apply. */
export interface AppCounts {
  haiku?: number;
  librarian?: number;
}

/** One entry of pm2's `apps`; https://pm2.keymetrics.io/docs/usage/application-declaration/ */
export interface App {
  name: string;
  namespace: string;
  script: string;
  instances: number;
  [option: string]: string | number | boolean | number[];
}

/** After so long pm2 lists a process as online, although it did not send `ready`. */
export const READY_TIMEOUT_MS = 60_000;

/** pm2's namespace of a swarm. */
export function toNamespace(config: Config): string {
  return config.FLEET_SWARM ?? 'fleet';
}

/** pm2 finds a name in all namespaces, so each name has its swarm's: another program's `dashboard` is never taken for ours. */
export function toAppName(config: Config, kind: AppKind): string {
  return `${toNamespace(config)}-${kind}`;
}

/**
 * The processes of this configuration, in the order of their start. None of its values is in `env`: each process reads them
 * itself. Without a Gemini key there is no librarian.
 */
export function buildApps(config: Config, counts: AppCounts = {}): App[] {
  const { haiku = config.FLEET_HAIKU_PROCESSES, librarian = config.FLEET_LIBRARIAN_PROCESSES } = counts;
  const app = (kind: AppKind, script: string, instances = 1): App => ({
    name: toAppName(config, kind),
    namespace: toNamespace(config),
    script: join(packageFolder, 'dist', script),
    cwd: packageFolder,
    instances,
    exec_mode: 'fork',
    wait_ready: true,
    listen_timeout: READY_TIMEOUT_MS,
    kill_timeout: toKillTimeoutMs(config),
    exp_backoff_restart_delay: 200,
    stop_exit_codes: [EXIT_CONFIG],
    treekill: false, // a worker ends its own children; a signal from outside would look to the task like a failed command
    pmx: false, // pm2's probes would keep our process alive after a failed import
    vizion: false, // pm2 reads no git repositories
  });
  return [
    ...(config.embedded === null ? [] : [app('redis', 'workers/redis.js')]),
    app('dashboard', 'dashboards/server.js'),
    app('coordinator', 'workers/coordinator.js'),
    app('haiku', 'workers/haiku.js', haiku),
    ...(config.shards.length === 0 ? [] : [app('librarian', 'workers/librarian.js', librarian)]),
  ];
}
