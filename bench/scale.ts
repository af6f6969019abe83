/** How much faster than real time the benches of long calls run by default: in minutes instead of a quarter of an hour. */
const DEFAULT_SCALE = 5;
/** Above it, FLEET_CALL_IDLE_MS would be below its least value, a second. */
const MOST = 60;
/** Defaults of the fleet, ms. */
const CALL_IDLE_MS = 60_000;
const CALL_TIMEOUT_MS = 900_000;

/** @returns `BENCH_SCALE`: 1 is real time, and the numbers that are told are those of 1. @throws Error for any other text */
export function readScale(): number {
  const text = process.env['BENCH_SCALE'] ?? String(DEFAULT_SCALE);
  const scale = Number(text);
  if (text.trim() === '' || !(scale >= 1 && scale <= MOST))
    throw new Error(`BENCH_SCALE: expected a number 1..${MOST}, got "${text}"`);
  return scale;
}

/** The fleet's time limits of a call, divided by the scale like the provider's times. */
export function toCallLimits(scale: number): Record<'FLEET_CALL_IDLE_MS' | 'FLEET_CALL_TIMEOUT_MS', string> {
  return {
    FLEET_CALL_IDLE_MS: String(Math.round(CALL_IDLE_MS / scale)),
    FLEET_CALL_TIMEOUT_MS: String(Math.round(CALL_TIMEOUT_MS / scale)),
  };
}
