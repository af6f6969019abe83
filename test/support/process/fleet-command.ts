import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningCommand {
  child: ChildProcess;
  /** Its output so far, standard and error output together. */
  output(): string;
  done: Promise<CommandResult>;
}

/** The built entry of the command. */
export const fleetEntry = fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url));

/** The variables that a command gets from the test's environment: no `FLEET_*`, no key. */
export function plainEnvironment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG, TMPDIR } = process.env;
  return { PATH, HOME, LANG, TMPDIR, ...more };
}

/** Starts the built `fleet` command in its own process group. @param input its standard input; default: empty. @param entry of another checkout */
export function startFleet(
  args: string[],
  env: NodeJS.ProcessEnv,
  cwd?: string,
  input: string | Buffer = '',
  entry = fleetEntry,
): RunningCommand {
  const child = spawn(process.execPath, [entry, ...args], {
    env,
    cwd,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined); // it may end without reading
  child.stdin.end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const done = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, output: () => stdout + stderr, done };
}

/** Runs the built `fleet` command to its end. */
export function runFleet(args: string[], env: NodeJS.ProcessEnv, cwd?: string): Promise<CommandResult> {
  return startFleet(args, env, cwd).done;
}
