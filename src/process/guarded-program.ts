import { randomUUID } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { FleetError } from '../errors.ts';
import { keepOutput } from './program/kept-output.ts';
import { endLeftBehind, MARK } from './program/left-behind.ts';

/** Wait after the process ended and its group was killed. A pipe that is still open belongs to a process outside the group. */
const PIPE_GRACE_MS = 500;
/** Looks at pipes that still bring something. */
const MOST_ROUNDS = 20;
/** Most bytes that are kept where the caller does not say. */
const OUTPUT_CAP = 60_000;
const STDOUT_CAP = 1024 * 1024;
/** Time between SIGTERM, on which git removes its lock files, and SIGKILL. */
const TERM_GRACE_MS = 1_000;

/**
 * The shell starts a guard in the same process group and then becomes the program. The guard waits on a pipe from this
 * process. The pipe closes when this process dies, also by SIGKILL, and the guard then ends the group, and what carries the
 * program's mark outside of it (`endLeftBehind`). The shell does not interpret the arguments.
 */
const GUARD = `(trap "" TERM; read -r me _ </proc/self/stat; read -r _ <&3; mark=$${MARK}; unset ${MARK}
kill -TERM 0; sleep 1
[ -z "$mark" ] || for round in 1 2 3 4 5; do
  for found in $(grep -slz "^${MARK}=$mark\\$" /proc/[0-9]*/environ); do
    pid=\${found#/proc/}; pid=\${pid%/environ}
    [ "$pid" = "$me" ] || kill -KILL "$pid"
  done
done
kill -KILL 0) >/dev/null 2>&1 & exec 3<&-`;

export interface ProgramOptions {
  cwd: string;
  /** The whole environment of the program. */
  env: Record<string, string>;
  signal: AbortSignal;
  timeoutMs: number;
  /** What the program reads from its standard input. Default: nothing. */
  input?: string | Buffer;
  /** Most bytes of `output` that are kept: of the beginning a quarter, of the end the rest. Default 60,000. */
  outputCap?: number;
  /**
   * True: a program that the fleet does not know. It gets a mark, and every process that carries it is ended at the end, wherever
   * it went. Its two outputs are one pipe, so that `output` has the order in which they were written. Default false.
   */
  isForeign?: boolean;
  /** True: the two outputs of a foreign program stay apart: `output` is its error output alone. Default false. */
  isApart?: boolean;
  /** Most bytes of `stdout` that are kept. Default 1 MiB. */
  stdoutCap?: number;
  /** Reads stdout as it comes; the program waits for a slower reader, and is ended when the reader returns or throws. */
  readStdout?: (stdout: Readable) => Promise<void>;
}

export interface ProgramResult {
  /** Exit code. Null: a signal ended it. */
  code: number | null;
  /** The signal that ended it; null: none. */
  endSignal: NodeJS.Signals | null;
  /** Processes of a foreign program that ran on outside of its group when it had ended. They were ended. */
  leftBehind: number;
  /** stdout and stderr in the order of arrival; with `isApart` stderr alone. Of more than the cap the middle is replaced by a note. */
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
  const { outputCap = OUTPUT_CAP, stdoutCap = STDOUT_CAP, isForeign = false, isApart = false } = options;
  const output = keepOutput(outputCap, Math.floor(outputCap / 4));
  const stdout = keepOutput(stdoutCap, stdoutCap);
  const mark = isForeign ? randomUUID() : null;
  const start = `${GUARD}; exec "$@"${isForeign && !isApart ? ' 2>&1' : ''}`;
  const child = spawn('/bin/sh', ['-c', start, 'sh', program, ...args], {
    cwd: options.cwd,
    env: mark === null ? options.env : { ...options.env, [MARK]: mark },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
    detached: true, // creates the process group
  });
  if (options.readStdout === undefined) {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!isApart) output.add(chunk);
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
  let ended: Pick<ProgramResult, 'code' | 'endSignal' | 'leftBehind'>;
  try {
    ended = await new Promise((resolve, reject) => {
      let leaving = Promise.resolve(0);
      child.once('error', reject);
      child.once('close', (code, endSignal) => {
        leaving.then((leftBehind) => resolve({ code, endSignal, leftBehind }), reject);
      });
      child.once('exit', () => {
        signalGroup(child.pid, 'SIGKILL');
        if (mark !== null) leaving = endLeftBehind(mark, child.pid ?? 0);
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
  return { ...ended, output: output.text(), stdout: reading === null ? stdout.bytes() : null, isTimedOut };
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

/**
 * Closes the pipes of a program that has ended, which one that it left behind may hold open. What it wrote is read first: on a busy machine
 * the time may be over before the loop has looked at the pipes.
 */
function closePipes({ stdio }: Pick<ChildProcess, 'stdio'>, rounds = MOST_ROUNDS): void {
  let hasMore = false;
  const note = (): void => void (hasMore = true);
  const streams = stdio.filter((stream): stream is Readable => stream instanceof Readable && !stream.destroyed);
  const look = (): void => {
    for (const stream of streams) stream.off('data', note);
    if (hasMore && rounds > 1) return closePipes({ stdio }, rounds - 1);
    for (const stream of stdio) stream?.destroy();
  };
  setTimeout(() => {
    for (const stream of streams) if (stream.listenerCount('data') > 0) stream.on('data', note);
    setImmediate(() => setImmediate(look)); // the loop looks at the pipes in between
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
