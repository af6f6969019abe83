/**
 * Preloaded (`--import`): the clock of the process is `TEST_CLOCK_AHEAD_MS` ahead of the machine's. With several values, parted by
 * commas, it jumps from one to the next twice a second. Timers are as they were.
 */
const shifts = (process.env.TEST_CLOCK_AHEAD_MS ?? '0').split(',').map(Number);
const Real = Date;
const now = () => Real.now() + shifts[Math.floor(performance.now() / 500) % shifts.length];
globalThis.Date = class Date extends Real {
  constructor(...given) {
    if (given.length === 0) super(now());
    else super(...given);
  }
  static now() {
    return now();
  }
};
