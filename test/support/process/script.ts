import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { swarmEnvironment } from '../redis/swarm-environment.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { plainEnvironment, type CommandResult } from './fleet-command.ts';

export interface RunningScript {
  child: ChildProcess;
  /** Both outputs so far. */
  output(): string;
  done: Promise<CommandResult>;
}

/** Starts `node …args` on the test's swarm, as a user's script. Killed after the test if it still runs. */
export function startScript(
  redis: TestRedis,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): RunningScript {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd,
    env: plainEnvironment(swarmEnvironment(redis, options.env)),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const done = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  redis.cleanup(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await done;
  });
  return { child, output: () => stdout + stderr, done };
}
