import type { Config } from '../config/environment.ts';

/** Time after the longest call for its reply to be stored, and for tools that run after it to reach a point where they can stop. */
const STORE_MS = 15_000;
/** Time to leave once calls are cut off: their jobs are given back and what they cost is booked. */
export const LEAVE_MS = 5_000;
/** How much later pm2 kills a process that should have ended by itself. */
const PM2_LATER_MS = 10_000;

/** How long a process that was asked to end lets its running calls end, ms: the longest call and a bit. Then it cuts them off. */
export function toDrainMs(config: Config): number {
  return config.FLEET_CALL_TIMEOUT_MS + STORE_MS;
}

/** After so long pm2 kills a process that was asked to end, ms. The process has left before, unless it hangs. */
export function toKillTimeoutMs(config: Config): number {
  return toDrainMs(config) + LEAVE_MS + PM2_LATER_MS;
}
