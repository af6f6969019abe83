import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { FleetError } from '../errors.ts';

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

export interface ProgramOptions {
  cwd: string;
  /** The whole environment of the program. */
  env: Record<string, string>;
  signal: AbortSignal;
  timeoutMs: number;
  /** What the program reads from its standard input. Default: nothing. */
  input?: string | Buffer;
  /** Most bytes of `output` that are kept, the first and the last half of them. Default 60,000. */
  outputCap?: number;
  /** Most bytes of `stdout` that are kept. Default 1 MiB. */
  stdoutCap?: number;
  /** Reads stdout as it comes; the program waits for a slower reader, and is ended when the reader returns or throws. */
  readStdout?: (stdout: Readable) => Promise<void>;
}

export interface ProgramResult {
  /** Exit code. Null: a signal ended it. */
  code: number | null;
  /** stdout and stderr in the order of arrival. Of more than the cap the middle is replaced by a note. */
  output: string;
  /** stdout alone, to the byte. Null: it was longer than its cap, or `readStdout` has read it. */
  stdout: Buffer | null;
  isTimedOut: boolean;
}

/** A program could not be started. Its `code` is the system's, such as `ENOENT`. */
export class ProgramStartError extends FleetError {
  override name = 'ProgramStartError';
  constructor(
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`cannot be started: ${code}`, options);
  }
}

/**
 * Runs a program in its own process group. The whole group is killed when the program ends, is aborted or reaches its
 * deadline, and when this process dies: a child that survives would write after the caller released its lock.
 * @param program absolute path of an executable; it gets the arguments unchanged
 * @throws ProgramStartError; the signal's abort reason; what `readStdout` throws
 */
export async function runGuarded(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  options.signal.throwIfAborted();
  const output = createOutput(options.outputCap ?? 60_000);
  const stdout = createOutput(options.stdoutCap ?? 1024 * 1024);
  const child = spawn('/bin/sh', ['-c', GUARDED_START, 'sh', program, ...args], {
    cwd: options.cwd,
    env: options.env,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
    detached: true, // creates the process group
  });
  if (options.readStdout === undefined) {
    child.stdout?.on('data', (chunk: Buffer) => {
      output.add(chunk);
      stdout.add(chunk);
    });
  }
  child.stderr?.on('data', output.add);
  child.stdin?.on('error', () => undefined); // the program may end before it has read everything
  child.stdin?.end(options.input);
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
  const reading = options.readStdout === undefined ? null : readAll(child, options.readStdout, end);
  let code: number | null;
  try {
    code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
      child.once('exit', () => {
        signalGroup(child.pid, 'SIGKILL');
        if (reading === null) closePipes(child);
        else void reading.then(() => closePipes(child));
      });
    });
    options.signal.throwIfAborted();
  } catch (error) {
    const reason = toCode(error);
    if (reason === undefined || options.signal.aborted) throw error;
    throw new ProgramStartError(reason, { cause: error });
  } finally {
    clearTimeout(deadline);
    clearTimeout(killing);
    options.signal.removeEventListener('abort', end);
  }
  const failure = await reading;
  if (failure !== null) throw failure.error;
  return { code, output: output.text(), stdout: reading === null ? stdout.bytes() : null, isTimedOut };
}

/** @returns what the reader threw; null: nothing */
async function readAll(
  { stdout }: ChildProcess,
  read: (stdout: Readable) => Promise<void>,
  end: () => void,
): Promise<{ error: unknown } | null> {
  if (stdout === null) return null;
  try {
    await read(stdout);
    return null;
  } catch (error) {
    return { error };
  } finally {
    if (!stdout.readableEnded) {
      end();
      stdout.destroy();
    }
  }
}

function closePipes({ stdio }: ChildProcess): void {
  setTimeout(() => {
    for (const stream of stdio) stream?.destroy();
  }, PIPE_GRACE_MS).unref();
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (toCode(error) !== 'ESRCH') throw error; // the group has ended
  }
}

function toCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** Keeps the beginning and the end of the output, half of the cap each: errors are often at the end. */
function createOutput(cap: number): { add(chunk: Buffer): void; bytes(): Buffer | null; text(): string } {
  const half = Math.floor(cap / 2);
  const head: Buffer[] = [];
  let headBytes = 0;
  let tail: Buffer[] = [];
  let tailBytes = 0;
  let total = 0;
  return {
    add(chunk) {
      total += chunk.length;
      const first = chunk.subarray(0, Math.max(0, half - headBytes));
      if (first.length > 0) {
        head.push(first);
        headBytes += first.length;
      }
      const rest = chunk.subarray(first.length);
      if (rest.length === 0) return;
      tail.push(rest);
      tailBytes += rest.length;
      if (tailBytes > 2 * cap) {
        tail = [Buffer.concat(tail).subarray(-half)];
        tailBytes = half;
      }
    },
    bytes: () => (total > headBytes + Math.min(tailBytes, half) ? null : Buffer.concat([...head, ...tail])),
    text() {
      const end = Buffer.concat(tail).subarray(-half);
      const left = total - headBytes - end.length;
      const gap = left > 0 ? `\n[cut: ${left} bytes of output left out here]\n` : '';
      return Buffer.concat(head).toString('utf8') + gap + end.toString('utf8');
    },
  };
}
