import { url as inspectorUrl } from 'node:inspector';
import { Worker } from 'node:worker_threads';
import type { Watched } from './watch-loop.ts';

const TICK_MS = 1_000;
const TICKS = 60;

/**
 * Ends this process with SIGKILL when its event loop has hung for a minute, after one line on standard error: a hung process
 * hears no signal and no halt. Its jobs then continue elsewhere, as after any crash of a worker. A process that a person
 * debugs is not watched, because it may wait at a breakpoint.
 * @param name shown in that line
 */
export function startLoopWatchdog(name: string): void {
  if (inspectorUrl() !== undefined) return;
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  setInterval(() => Atomics.add(beats, 0, 1), TICK_MS).unref();
  const workerData: Watched = { name, beats, tickMs: TICK_MS, ticks: TICKS };
  new Worker(new URL('watch-loop.js', import.meta.url), { workerData, env: {} }).unref();
}
