import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../config/package-folder.ts';
import { FleetError } from '../errors.ts';

export interface ChildOptions {
  /** Shown in errors; also the name of its log file. */
  name: string;
  /** Its built entry file, relative to `dist/`. */
  script: string;
  args?: string[];
  env: NodeJS.ProcessEnv;
  /** It writes its output to `<logFolder>/<name>.log`. */
  logFolder: string;
  /** Whether it keeps running after this process has ended. */
  keep: boolean;
}

export interface Child {
  name: string;
  pid: number;
  /** Sends SIGTERM, a second one after `graceMs`, then SIGKILL. Resolves when the child has ended. */
  stop(graceMs?: number): Promise<void>;
}

const READY_TIMEOUT_MS = 30_000;

/**
 * Starts one of the fleet's processes without pm2, in a process group of its own, so that Ctrl-C does not reach it. Waits
 * until it sends `ready`. @throws FleetError with its last output when it ends before
 */
export async function forkChild(options: ChildOptions): Promise<Child> {
  const { name, script, args = [], env, logFolder, keep } = options;
  const log = openSync(join(logFolder, `${name}.log`), 'a', 0o600);
  const guard = new URL('end-with-parent.js', import.meta.url).href; // no path: Node would decode a `%41` in it
  const child = fork(join(packageFolder, 'dist', script), args, {
    env,
    cwd: packageFolder,
    detached: true,
    execArgv: keep ? [] : ['--import', guard],
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  try {
    await waitForReady(child);
  } catch (error) {
    child.kill('SIGKILL');
    const output = readFileSync(join(logFolder, `${name}.log`), 'utf8')
      .trim()
      .split('\n')
      .slice(-8)
      .join('\n');
    throw new FleetError(`${name} did not start: ${output}`, { cause: error });
  }
  if (keep) {
    child.disconnect();
    child.unref();
  }
  return toChild(name, child);
}

/** Starts the simulator of the providers. @returns the child with the address of its server */
export async function spawnSimulator(options: Omit<ChildOptions, 'name' | 'script'>): Promise<Child & { url: string }> {
  const log = openSync(join(options.logFolder, 'simulator.log'), 'a', 0o600);
  const entry = join(packageFolder, 'dist/simulator/main.js');
  const child = spawn(process.execPath, [entry, '--port', '0', ...(options.args ?? [])], {
    env: options.env,
    detached: true,
    stdio: [options.keep ? 'ignore' : 'pipe', 'pipe', log], // it ends when a piped stdin closes
  });
  closeSync(log);
  const [line] = await Promise.race([
    once(child.stdout ?? child, 'data'),
    once(child, 'exit').then((): never => {
      throw new FleetError('the simulator did not start');
    }),
  ]);
  const { url } = JSON.parse(String(line)) as { url: string };
  if (options.keep) {
    child.stdout?.destroy();
    child.unref();
  }
  return { ...toChild('simulator', child), url };
}

async function waitForReady(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('not ready in time')), READY_TIMEOUT_MS);
    child.on('message', (message) => {
      if (message !== 'ready') return;
      clearTimeout(timer);
      resolve();
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code ?? signal}`));
    });
  });
}

function toChild(name: string, child: ChildProcess): Child {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    pid: child.pid ?? 0,
    async stop(graceMs = 3_000) {
      if (hasEnded()) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const second = setTimeout(() => child.kill('SIGTERM'), graceMs);
      const last = setTimeout(() => child.kill('SIGKILL'), graceMs + 5_500);
      await ended;
      clearTimeout(second);
      clearTimeout(last);
    },
  };
}
