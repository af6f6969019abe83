import { join } from 'node:path';
import type { Config } from '../config/environment.ts';
import { packageFolder } from '../config/package-folder.ts';
import { EXIT_CONFIG } from '../process/exit-config.ts';

export type AppKind = 'redis' | 'dashboard' | 'coordinator' | 'haiku' | 'librarian';

/** How many processes of a kind, where it is not what the configuration says. */
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

/** A running call may take its whole deadline (120 s), then its reply is stored and the job handed back. */
export const KILL_TIMEOUT_MS = 150_000;

/** From then on pm2 calls a process that has not said `ready` online all the same. */
export const READY_TIMEOUT_MS = 60_000;

/** pm2's namespace of a swarm. */
export function toNamespace(config: Config): string {
  return config.FLEET_SWARM ?? 'fleet';
}

/** pm2 looks names up over all namespaces, so each carries its swarm's: never somebody else's `dashboard`. */
export function toAppName(config: Config, kind: AppKind): string {
  return `${toNamespace(config)}-${kind}`;
}

/**
 * The processes of this configuration, in the order they are started; none of its values travels in `env`. Without a
 * Gemini key there is no librarian.
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
    kill_timeout: KILL_TIMEOUT_MS,
    exp_backoff_restart_delay: 200,
    stop_exit_codes: [EXIT_CONFIG],
    treekill: false, // a worker ends its own children; a signal from outside would look like a failed command to the task
    pmx: false, // pm2's probes in our process keep it alive after a failed import, ended neither well nor badly
    vizion: false, // no reading of git repositories
  });
  return [
    ...(config.embedded === null ? [] : [app('redis', 'workers/redis.js')]),
    app('dashboard', 'dashboards/server.js'),
    app('coordinator', 'workers/coordinator.js'),
    app('haiku', 'workers/haiku.js', haiku),
    ...(config.shards.length === 0 ? [] : [app('librarian', 'workers/librarian.js', librarian)]),
  ];
}
