import type { DayClock } from '../src/librarian/gate/pacific-day.ts';

/** Returns a clock with days of another length, counted from 1970. */
export function daysOf(lengthMs: number): DayClock {
  return (atMs) => {
    const count = Math.floor(atMs / lengthMs);
    return { name: `day-${count}`, startsAtMs: count * lengthMs, endsAtMs: (count + 1) * lengthMs };
  };
}
