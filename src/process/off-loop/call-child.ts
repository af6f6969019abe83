import type { ChildProcess } from 'node:child_process';
import type { Call, Report } from './child-entry.ts';

export interface CallLimits {
  /** From the moment the function starts, ms. Time in which this process is frozen does not count. */
  deadlineMs: number;
  signal?: AbortSignal;
}

/** How a call ended. Only after `value` and `thrown` can the child take another call. */
export type CallEnd =
  | { kind: 'value'; value: unknown }
  | { kind: 'thrown' | 'broken' | 'aborted'; error: unknown }
  | { kind: 'deadline' | 'memory' };

/** A deadline is counted in so many ticks of this process, which does not tick while it is frozen. */
const TICKS = 10;
/** How V8 ends a process whose heap is full, and how the system ends one when memory runs out. */
const OUT_OF_MEMORY: readonly unknown[] = ['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGKILL'];

/** Calls a function in a child that runs `child-entry.ts` and no other call. Never rejects. */
export function callChild(child: ChildProcess, call: Call, { deadlineMs, signal }: CallLimits): Promise<CallEnd> {
  return new Promise((resolve) => {
    let ticks = 0;
    let timer: NodeJS.Timeout | undefined;
    const end = (how: CallEnd): void => {
      clearInterval(timer);
      signal?.removeEventListener('abort', onAbort);
      child.off('message', onReport).off('error', onError).off('exit', onExit);
      resolve(how);
    };
    const onTick = (): void => {
      ticks += 1;
      if (ticks === TICKS) end({ kind: 'deadline' });
    };
    const onReport = (report: Report): void => {
      if (report.kind === 'started') timer = setInterval(onTick, deadlineMs / TICKS);
      else if (report.kind === 'value') end(report);
      else end({ kind: 'thrown', error: Object.assign(new Error(report.message), { name: report.name }) });
    };
    const onError = (error: Error): void => end({ kind: 'broken', error });
    const onExit = (code: number | null, by: NodeJS.Signals | null): void => {
      if (OUT_OF_MEMORY.includes(by)) end({ kind: 'memory' });
      else end({ kind: 'broken', error: new Error(`its process ended with ${by ?? code}`) });
    };
    const onAbort = (): void => end({ kind: 'aborted', error: signal?.reason });

    child.on('message', onReport).on('error', onError).on('exit', onExit);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      child.send(call);
    } catch (error) {
      end({ kind: 'thrown', error }); // the input cannot be copied
    }
  });
}
