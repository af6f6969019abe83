import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { plainEnvironment } from './fleet-command.ts';
import type { TestRedis } from '../redis/use-redis.ts';

const toMain = (kind: string): string => fileURLToPath(new URL(`../../../dist/workers/${kind}.js`, import.meta.url));

/** A built worker, as pm2 would run it. */
export interface WorkerProcess {
  id: string;
  pid: number;
  child: ChildProcess;
  /** Its log so far. */
  output(): string;
  /** Sends the signal and waits until the process has ended. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  hasEnded(): boolean;
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
  kind?: 'haiku' | 'coordinator';
}

/** Starts a built worker on the test's swarm and waits until it says that it is ready. Killed after the test, if it is there. */
export async function startWorkerProcess(redis: TestRedis, options: WorkerProcessOptions): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [toMain(options.kind ?? 'haiku')], {
    env: plainEnvironment({
      FLEET_HOME: redis.folder,
      FLEET_DATA: redis.folder,
      TMPDIR: redis.folder, // what a killed worker leaves goes with it
      FLEET_OFFLINE: '1',
      FLEET_SWARM: redis.swarm,
      FLEET_WORKER_ID: options.id,
      FLEET_HAIKU_CONCURRENCY: String(options.slots ?? 1),
      REDIS_URL: options.redisUrl ?? redis.url,
      ANTHROPIC_BASE_URL: options.provider,
      ...(options.workspace === undefined ? {} : { FLEET_WORKSPACES: `site=${options.workspace}` }),
      ...options.env,
    }),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += String(chunk)));
  child.stderr?.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals) => {
    if (!hasEnded()) child.kill(signal);
    return ended;
  };
  redis.cleanup(() => end('SIGKILL'));
  const ready = once(child, 'message').then(() => true);
  if (!(await Promise.race([ready, ended.then(() => false)])))
    throw new Error(`worker ${options.id} ended:\n${output}`);
  return { id: options.id, pid: child.pid ?? 0, child, output: () => output, end, hasEnded };
}
