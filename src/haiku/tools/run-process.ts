import { spawn } from 'node:child_process';
import { errorCode, ToolRefusal } from './refusal.ts';

/** Most bytes of a process' output that are kept for the model: its beginning and its end. */
const OUTPUT_CAP = 60_000;
const STDOUT_CAP = 1024 * 1024;
/** After the process and its group are dead, a pipe still open belongs to something that left the group. */
const PIPE_GRACE_MS = 500;

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
 * Runs a program without a shell in a process group of its own. When it ends, is aborted or reaches its deadline, the
 * whole group is killed: what it left behind would go on writing after the workspace's lock is given back.
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
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // makes the group
  });
  child.stdout.on('data', (chunk: Buffer) => {
    output.add(chunk);
    stdout.add(chunk);
  });
  child.stderr.on('data', output.add);
  const kill = (): void => killGroup(child.pid);
  let isTimedOut = false;
  const deadline = setTimeout(() => {
    isTimedOut = true;
    kill();
  }, options.timeoutMs);
  options.signal.addEventListener('abort', kill, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
      child.once('exit', () => {
        kill();
        setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
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
    options.signal.removeEventListener('abort', kill);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
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
