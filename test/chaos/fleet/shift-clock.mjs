/** Preloaded (`--import`): the clock of the process is `CHAOS_CLOCK_MS` ahead of the machine's. Timers are as they were. */
const aheadMs = Number(process.env.CHAOS_CLOCK_MS ?? 0);
const Real = Date;
globalThis.Date = class Date extends Real {
  constructor(...args) {
    if (args.length === 0) super(Real.now() + aheadMs);
    else super(...args);
  }
  static now() {
    return Real.now() + aheadMs;
  }
};
