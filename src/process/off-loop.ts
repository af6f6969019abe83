import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { FleetError } from '../errors.ts';
import { callChild, type CallLimits } from './off-loop/call-child.ts';
import type { Call } from './off-loop/child-entry.ts';

export interface OffLoopOptions {
  /** A file of the source, `.ts`: `new URL('schema-work.ts', import.meta.url)`. The build has it as `.js`. */
  module: URL;
  /** Most heap of one process, MB. */
  memoryMb: number;
  /** Most processes at once; more runs wait in order. Default: 2. */
  processes?: number;
}

export interface OffLoop {
  /**
   * Calls an exported function of the module in another process. Input and value are copied by structured clone.
   * @throws OffLoopLimitError at a limit
   * @throws the signal's reason if it fires first; else an Error with the name and message of what the function threw
   */
  run<T>(name: string, input: unknown, limits: CallLimits): Promise<T>;
  /** Ends the processes, and rejects the runs under way and later ones. */
  close(): Promise<void>;
}

/** A run reached a limit: its time was over, or its memory full. */
export class OffLoopLimitError extends FleetError {
  override name = 'OffLoopLimitError';
  constructor(
    readonly reason: 'deadline' | 'memory',
    message: string,
  ) {
    super(message);
  }
}

interface Run {
  call: Call;
  limits: CallLimits;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

/** An idle process ends after so long. */
const IDLE_MS = 30_000;
const idleOfAll = new Set<ChildProcess>();

/**
 * Runs functions of one module in other processes, so that nothing that a model or a task can make expensive blocks this
 * one. They start at the first run, see no environment, end when idle and with this process, and do not keep it alive.
 *
 * Processes, not threads (Piscina, `resourceLimits`): one large allocation in a thread with a full heap ends the whole
 * process, the jobs of all others included.
 */
export function createOffLoop(options: OffLoopOptions): OffLoop {
  const { module, memoryMb, processes: most = 2 } = options;
  const live = new Set<ChildProcess>(); // until they have exited: never more than `most`
  const idle = new Map<ChildProcess, NodeJS.Timeout>();
  const waiting = new Set<Run>();
  const closing = new AbortController();

  function begin(): void {
    for (const run of waiting) {
      const child = takeChild();
      if (child === null) return;
      waiting.delete(run);
      void work(child, run);
    }
  }

  function takeChild(): ChildProcess | null {
    const [known] = idle.keys();
    if (known === undefined && live.size >= most) return null;
    const child = known ?? open();
    clearTimeout(idle.get(child));
    leaveIdle(child);
    child.ref();
    child.channel?.ref();
    return child;
  }

  function open(): ChildProcess {
    const child = forkChild(module, memoryMb);
    live.add(child);
    child.on('error', () => undefined); // its call reports it; without a listener it would end this process
    child.once('exit', () => {
      live.delete(child);
      leaveIdle(child);
      begin();
    });
    return child;
  }

  function leaveIdle(child: ChildProcess): void {
    clearTimeout(idle.get(child));
    idle.delete(child);
    idleOfAll.delete(child);
  }

  async function work(child: ChildProcess, { call, limits, resolve, reject }: Run): Promise<void> {
    const end = await callChild(child, call, limits);
    child.unref();
    child.channel?.unref();
    if (end.kind === 'value' || end.kind === 'thrown') {
      idle.set(child, setTimeout(() => child.kill('SIGKILL'), IDLE_MS).unref());
      idleOfAll.add(child);
      begin();
    } else {
      child.kill('SIGKILL');
    }
    if (end.kind === 'value') resolve(end.value);
    else if ('error' in end) reject(end.error);
    else reject(new OffLoopLimitError(end.kind, toRule(end.kind, limits, memoryMb)));
  }

  return {
    run<T>(name: string, input: unknown, limits: CallLimits): Promise<T> {
      const signal = AbortSignal.any([closing.signal, ...(limits.signal ? [limits.signal] : [])]);
      return new Promise<T>((resolve, reject) => {
        signal.throwIfAborted();
        const call = { name, input };
        const run: Run = { call, limits: { ...limits, signal }, resolve: resolve as Run['resolve'], reject };
        signal.addEventListener('abort', () => waiting.delete(run) && reject(signal.reason), { once: true });
        waiting.add(run);
        begin();
      });
    },
    async close() {
      closing.abort(new FleetError('off the loop: closed'));
      await endChildren(live);
    },
  };
}

/** Ends the idle processes of all, before their time. For tests, which leave no process behind. */
export function endIdleProcesses(): Promise<void> {
  return endChildren(idleOfAll);
}

async function endChildren(children: Iterable<ChildProcess>): Promise<void> {
  const ends = [...children].map((child) => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    return ended;
  });
  await Promise.all(ends);
}

/**
 * A process group of its own keeps Ctrl-C from it. Tests run the source: Node 20 needs `tsx`, a development dependency.
 * @param module named as in the source
 */
function forkChild(module: URL, memoryMb: number): ChildProcess {
  const inSource = import.meta.url.endsWith('.ts');
  const place = (url: URL): URL => (inSource ? url : new URL(url.href.replace(/\.ts$/, '.js')));
  const entry = place(new URL('off-loop/child-entry.ts', import.meta.url));
  return fork(fileURLToPath(entry), [place(module).href], {
    detached: true,
    env: {},
    execArgv: [`--max-old-space-size=${memoryMb}`, ...(inSource ? ['--import', import.meta.resolve('tsx')] : [])],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

function toRule(reason: OffLoopLimitError['reason'], { deadlineMs }: CallLimits, memoryMb: number): string {
  return `expected to take at most ${reason === 'deadline' ? `${deadlineMs} ms` : `${memoryMb} MB of memory`}`;
}
