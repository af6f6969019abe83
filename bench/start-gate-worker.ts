import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GateWorkerOptions } from './gate-worker.ts';

/**
 * Starts one process of `gate-worker.ts` and waits until it asks for permits. It ends on SIGTERM, and when its parent ends.
 * @param clockAheadMs how far its clock is ahead, ms
 */
export async function startGateWorker(
  options: GateWorkerOptions,
  entry = new URL('gate-worker.js', import.meta.url),
  clockAheadMs = 0,
): Promise<ChildProcess> {
  const child = fork(fileURLToPath(entry), [JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: clockAheadMs === 0 ? [] : ['--import', shiftClock(clockAheadMs)],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process ended at once with ${String(code)}`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined); // from here on its end is no error
  return child;
}

function shiftClock(ms: number): string {
  return `data:text/javascript,${encodeURIComponent(`const now = Date.now; Date.now = () => now() + ${ms};`)}`;
}

/** Sends the signal and waits for the end. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
