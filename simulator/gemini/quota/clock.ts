/** The simulated provider's clock: the machine's, or one that was set and may run faster, so that a day passes in seconds. */
export class SimulatedClock {
  readonly #base: () => number;
  #origin: number; // of the base clock, when this one was set
  #at: number; // what this one showed then
  #speed = 1;

  /** @param base ms since the epoch */
  constructor(base: () => number = Date.now) {
    this.#base = base;
    this.#origin = base();
    this.#at = this.#origin;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#at + (this.#base() - this.#origin) * this.#speed;
  }

  /** @param setting `at`: ms since the epoch, default as it is; `speed`: simulated per real millisecond, default as it is */
  set(setting: { at?: number | undefined; speed?: number | undefined }): void {
    const at = setting.at ?? this.now();
    this.#origin = this.#base();
    this.#at = at;
    this.#speed = setting.speed ?? this.#speed;
  }
}
