/** The provider's clock: the machine's, until it is set or made faster. A fast clock lets a day pass in seconds. */
export class SimulatedClock {
  readonly #base: () => number;
  #baseSetAt: number; // the base clock when this clock was set
  #setAt: number; // this clock at that moment
  #speed = 1;

  /** @param base ms since the epoch */
  constructor(base: () => number = Date.now) {
    this.#base = base;
    this.#baseSetAt = base();
    this.#setAt = this.#baseSetAt;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#setAt + (this.#base() - this.#baseSetAt) * this.#speed;
  }

  /** @param setting `at`: ms since the epoch; `speed`: simulated ms per real ms. An absent one keeps its value. */
  set(setting: { at?: number | undefined; speed?: number | undefined }): void {
    const setAt = setting.at ?? this.now();
    this.#baseSetAt = this.#base();
    this.#setAt = setAt;
    this.#speed = setting.speed ?? this.#speed;
  }
}
