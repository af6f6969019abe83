import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

/** Entry of the thread of `src/process/watchdog/loop-watchdog.ts`. Others import its types only. */

export interface Watched {
  /** Shown in the message. */
  name: string;
  /** Its first number is added to at each beat of the watched loop. */
  beats: Int32Array;
  tickMs: number;
  /** Ends the process after so many ticks without a beat. */
  ticks: number;
}

const { name, beats, tickMs, ticks } = workerData as Watched;
let last = Atomics.load(beats, 0);
let missed = 0;

/** Ticks are counted, not time: while the machine sleeps or the process is stopped, this thread does not tick either. */
setInterval(() => {
  const now = Atomics.load(beats, 0);
  missed = now === last ? missed + 1 : 0;
  last = now;
  if (missed < ticks) return;
  try {
    const seconds = Math.round((ticks * tickMs) / 1_000);
    writeSync(
      2,
      `${name}: no event was handled for ${seconds} s: the process hangs and ends itself; its jobs continue elsewhere\n`,
    );
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
}, tickMs);
