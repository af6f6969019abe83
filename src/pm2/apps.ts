import { hasArchive } from '../config/model-rows/archive-route.ts';
import { join } from 'node:path';
import type { Config } from '../config/environment.ts';
import { EXPORTED_SECRETS_FILE } from '../config/source/exported-secrets.ts';
import { packageFolder } from '../config/package-folder.ts';
import { toKillTimeoutMs } from '../process/drain.ts';
import { EXIT_CONFIG } from '../process/exit-config.ts';
import { exportedSecretsPath, toNamespace } from './hand-over.ts';

export type AppKind = 'redis' | 'dashboard' | 'coordinator' | 'haiku' | 'librarian' | 'bridge';

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
  env: Record<string, string>;
  [option: string]: string | number | boolean | number[] | string[] | Record<string, string>;
}

/** After so long pm2 lists a process as online, although it did not send `ready`. */
export const READY_TIMEOUT_MS = 60_000;

/**
 * Node's arguments of a Haiku worker. With the default of 16 MB a busy worker spends a tenth of its time copying what the runs in
 * progress hold; the memory is taken only while it is busy.
 */
export const HAIKU_NODE_ARGUMENTS: readonly string[] = ['--max-semi-space-size=32'];

/** pm2 finds a name in all namespaces, so each name has its swarm's: another program's `dashboard` is never taken for ours. */
export function toAppName(config: Config, kind: AppKind): string {
  return `${toNamespace(config)}-${kind}`;
}

/**
 * The processes of this configuration, in the order of their start. None of its values is in `env`, which pm2 shows and saves:
 * each process reads them itself, those of a shell from the file that `env` names. Without a Gemini key there is no librarian.
 */
export function buildApps(config: Config, counts: AppCounts = {}): App[] {
  const { haiku = config.FLEET_HAIKU_PROCESSES, librarian = config.FLEET_LIBRARIAN_PROCESSES } = counts;
  const app = (kind: AppKind, script: string, instances = 1): App => ({
    name: toAppName(config, kind),
    namespace: toNamespace(config),
    // Relative to `cwd`: pm2 takes a script with a blank in its path for a command line, and gives it to bash.
    script: join('dist', script),
    cwd: packageFolder,
    env: { [EXPORTED_SECRETS_FILE]: exportedSecretsPath(toNamespace(config)) },
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
    { ...app('haiku', 'workers/haiku.js', haiku), node_args: [...HAIKU_NODE_ARGUMENTS] },
    ...(config.FLEET_BRIDGE === '1' ? [app('bridge', 'workers/bridge.js')] : []),
    ...(!hasArchive(config) ? [] : [app('librarian', 'workers/librarian.js', librarian)]),
  ];
}
