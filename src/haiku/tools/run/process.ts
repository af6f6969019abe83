import { spawn } from 'node:child_process';
import { errorCode, ToolRefusal } from '../tool-refusal.ts';

/** Most bytes of output that are kept for the model: the first and the last half of it. */
const OUTPUT_CAP = 60_000;
const STDOUT_CAP = 1024 * 1024;
/** Wait after the process ended and its group was killed. A pipe that is still open belongs to a process outside the group. */
const PIPE_GRACE_MS = 500;
/** Time between SIGTERM, on which git removes its lock files, and SIGKILL. */
const TERM_GRACE_MS = 1_000;

/**
 * The shell starts a guard in the same process group and then becomes the program. The guard waits on a pipe from this
 * process. The pipe closes when this process dies, also by SIGKILL, and the guard then ends the group. The shell does not
 * interpret the arguments.
 */
const GUARDED_START =
  '(trap "" TERM; read -r _ <&3; kill -TERM 0; sleep 1; kill -KILL 0) >/dev/null 2>&1 & exec 3<&-; exec "$@"';

export interface ProcessResult {
  /** Exit code. Null: a signal ended it. */
  code: number | null;
  /** stdout and stderr in the order of arrival. Of more than 60,000 bytes the middle is replaced by a note. */
  output: string;
  /** stdout alone, for parsing. Null: it was longer than 1 MiB. */
  stdout: string | null;
  isTimedOut: boolean;
}

/**
 * Runs a program in its own process group. The whole group is killed when the program ends, is aborted or reaches its
 * deadline, and when this process dies: a child that survives would write after the workspace's lock is released.
 * @param program absolute path of an executable; it gets the arguments unchanged
 * @throws ToolRefusal if it cannot be started; the signal's abort reason
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
    detached: true, // creates the process group
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
    if (errorCode(error) !== 'ESRCH') throw error; // the group has ended
  }
}

/** Keeps the beginning and the end of the output, half of the cap each: errors are often at the end. */
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
