import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { swarmEnvironment } from '../redis/swarm-environment.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { plainEnvironment } from './fleet-command.ts';

type WorkerKind = 'haiku' | 'coordinator' | 'librarian' | 'bridge';

/** A built worker, started as pm2 starts it. */
export interface WorkerProcess {
  id: string;
  pid: number;
  child: ChildProcess;
  /** Its log so far. */
  output(): string;
  /** Sends the signal and waits until the process has ended. */
  end(signal: NodeJS.Signals): Promise<WorkerEnd>;
  hasEnded(): boolean;
}

interface WorkerEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface WorkerProcessOptions {
  id: string;
  /** Address of the provider. */
  provider: string;
  slots?: number;
  /** Default: the test's Redis. */
  redisUrl?: string;
  /** `site` is the only workspace; absent: none. */
  workspace?: string;
  env?: Record<string, string>;
  /** Default `haiku`. */
  kind?: WorkerKind;
}

/** Starts a built worker on the test's swarm and waits until it is ready. Killed after the test if it still runs. */
export async function startWorkerProcess(redis: TestRedis, options: WorkerProcessOptions): Promise<WorkerProcess> {
  const { id, kind = 'haiku', workspace } = options;
  const env = swarmEnvironment(redis, {
    TMPDIR: redis.folder, // what a killed worker leaves is removed with it
    FLEET_WORKER_ID: id,
    FLEET_HAIKU_CONCURRENCY: String(options.slots ?? 1),
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    ANTHROPIC_BASE_URL: options.provider,
    ...(workspace === undefined ? {} : { FLEET_WORKSPACES: `site=${workspace}` }),
    ...options.env,
  });
  const worker = spawnWorker(redis, kind, plainEnvironment(env));
  if (!(await worker.isReady)) throw new Error(`worker ${id} ended:\n${worker.output()}`);
  return { id, pid: worker.child.pid ?? 0, ...worker };
}

/**
 * Starts a built worker with this environment. Killed after the test, if it is there.
 * @param checkout folder of another version; default: this one
 * @returns `isReady`: whether it says that it is ready before it ends
 */
export function spawnWorker(
  redis: TestRedis,
  kind: WorkerKind,
  env: NodeJS.ProcessEnv,
  checkout = fileURLToPath(new URL('../../..', import.meta.url)),
): Omit<WorkerProcess, 'id' | 'pid'> & { isReady: Promise<boolean>; ended: Promise<WorkerEnd> } {
  const main = join(checkout, 'dist/workers', `${kind}.js`);
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += String(chunk)));
  child.stderr?.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals): Promise<WorkerEnd> => {
    if (!hasEnded()) child.kill(signal);
    return ended;
  };
  redis.cleanup(() => end('SIGKILL'));
  const isReady = Promise.race([once(child, 'message').then(() => true), ended.then(() => false)]);
  return { child, output: () => output, end, hasEnded, isReady, ended };
}
