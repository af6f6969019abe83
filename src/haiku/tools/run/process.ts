import { spawn } from 'node:child_process';
import { errorCode, ToolRefusal } from '../tool-refusal.ts';

/** Most bytes of a process' output that are kept for the model: its beginning and its end. */
const OUTPUT_CAP = 60_000;
const STDOUT_CAP = 1024 * 1024;
/** After the process and its group are dead, a pipe still open belongs to something that left the group. */
const PIPE_GRACE_MS = 500;
/** Between asking the group to end (git then removes its lock files) and ending it. */
const TERM_GRACE_MS = 1_000;

/**
 * Starts the program in its own place, and beside it a guard in the same group that waits on a pipe from this process:
 * when this process dies, however hard, the pipe closes and the guard ends the group. The arguments are never read by
 * the shell.
 */
const GUARDED_START =
  '(trap "" TERM; read -r _ <&3; kill -TERM 0; sleep 1; kill -KILL 0) >/dev/null 2>&1 & exec 3<&-; exec "$@"';

export interface ProcessResult {
  /** Null when a signal ended it. */
  code: number | null;
  /** stdout and stderr as they came; the middle is left out, saying so, past 60,000 bytes. */
  output: string;
  /** stdout alone, for machines; null when it was longer than a megabyte. */
  stdout: string | null;
  isTimedOut: boolean;
}

/**
 * Runs a program in a process group of its own. When it ends, is aborted or reaches its deadline, or this process dies,
 * the whole group is killed: what it left behind would go on writing after the workspace's lock is given back.
 * @param program absolute path of an executable; the arguments reach it as they are
 * @throws ToolRefusal when it cannot be started; the signal's abort reason
 */
export async function runProcess(
  program: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string>; signal: AbortSignal; timeoutMs: number },
): Promise<ProcessResult> {
  options.signal.throwIfAborted();
  const output = createOutput(OUTPUT_CAP);
  const stdout = createOutput(STDOUT_CAP);
  const child = spawn('/bin/sh', ['-c', GUARDED_START, 'sh', program, ...args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true, // makes the group
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    output.add(chunk);
    stdout.add(chunk);
  });
  child.stderr?.on('data', output.add);
  let killing: NodeJS.Timeout | undefined;
  const end = (): void => {
    signalGroup(child.pid, 'SIGTERM');
    killing = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), TERM_GRACE_MS);
  };
  let isTimedOut = false;
  const deadline = setTimeout(() => {
    isTimedOut = true;
    end();
  }, options.timeoutMs);
  options.signal.addEventListener('abort', end, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
      child.once('exit', () => {
        signalGroup(child.pid, 'SIGKILL');
        setTimeout(() => {
          for (const stream of child.stdio) stream?.destroy();
        }, PIPE_GRACE_MS).unref();
      });
    });
    options.signal.throwIfAborted();
    return { code, output: output.text(), stdout: stdout.isCut() ? null : stdout.text(), isTimedOut };
  } catch (error) {
    const reason = errorCode(error);
    if (reason === undefined || options.signal.aborted) throw error;
    throw new ToolRefusal(`cannot be started: ${reason}`, { cause: error });
  } finally {
    clearTimeout(deadline);
    clearTimeout(killing);
    options.signal.removeEventListener('abort', end);
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error; // already gone
  }
}

/** Keeps the first and the last half of the cap: errors tend to come last. */
function createOutput(cap: number): { add(chunk: Buffer): void; isCut(): boolean; text(): string } {
  const half = cap / 2;
  let head = Buffer.alloc(0);
  let tail = Buffer.alloc(0);
  let total = 0;
  return {
    add(chunk) {
      total += chunk.length;
      const room = half - head.length;
      if (room > 0) head = Buffer.concat([head, chunk.subarray(0, room)]);
      if (chunk.length > room) tail = Buffer.concat([tail, chunk.subarray(Math.max(0, room))]).subarray(-half);
    },
    isCut: () => total > head.length + tail.length,
    text() {
      const left = total - head.length - tail.length;
      const gap = left > 0 ? `\n[cut: ${left} bytes of output left out here]\n` : '';
      return head.toString('utf8') + gap + tail.toString('utf8');
    },
  };
}
