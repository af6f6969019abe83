import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestRedis } from '../redis/use-redis.ts';
import { plainEnvironment } from '../process/fleet-command.ts';
import { waitUntil } from '../wait.ts';

/** A worker of the old programs, in a process of its own. */
export interface OldWorker {
  id: string;
  child: ChildProcess;
  /** Ids of the tasks that it did, in this order; one that it did twice is there twice. */
  ran(): string[];
  output(): string;
  end(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts an old worker on the test's Redis and waits until it listens. Killed after the test.
 * @param options.mode `loop`: `channel:tasks`; `v2:TYPE`: `queue:<type>`; `helper`: peers that ask for help
 * @param options.workMs how long it works at a task. Default 1
 */
export async function startOldWorker(
  redis: TestRedis,
  options: { id: string; mode?: 'loop' | 'helper' | `v2:${string}`; workMs?: number; prefix?: string; url?: string },
): Promise<OldWorker> {
  const { id, mode = 'loop', workMs = 1, prefix = redis.keys.publicPrefix, url = redis.url } = options;
  const main = fileURLToPath(new URL('old-worker.mjs', import.meta.url));
  const child = spawn(process.execPath, [main, url, prefix, id, mode, String(workMs)], {
    env: plainEnvironment({}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'exit');
  const end = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  redis.cleanup(() => end());
  await waitUntil(() => output.includes('ready') || child.exitCode !== null);
  if (child.exitCode !== null) throw new Error(`old worker ${id} ended:\n${output}`);
  return {
    id,
    child,
    ran: () => [...output.matchAll(/^ran (.*)$/gm)].map(([, task = '']) => task),
    output: () => output,
    end,
  };
}
