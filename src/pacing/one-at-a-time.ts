/** Time as the pacer measures it. A test has its own. */
export interface PaceClock {
  /** Ms; only differences count. */
  now(): number;
  /** @returns what stops it */
  after(ms: number, act: () => void): () => void;
}

/** Work that is done again and again, never twice at once: what is due meanwhile follows. */
export class OneAtATime {
  readonly #clock: PaceClock;
  readonly #work: () => Promise<void>;
  readonly #nextInMs: () => number | null;
  #running: Promise<void> | null = null;
  #isDue = false;
  #timer: { at: number; stop: () => void } | null = null;
  #isStopped = false;

  /** @param nextInMs asked after each run: when the next one is due; null: not before `schedule` */
  constructor(clock: PaceClock, work: () => Promise<void>, nextInMs: () => number | null) {
    this.#clock = clock;
    this.#work = work;
    this.#nextInMs = nextInMs;
  }

  /** Sees to it that the work begins in `ms` at the latest. */
  schedule(ms: number): void {
    if (this.#isStopped) return;
    if (this.#running !== null) {
      this.#isDue ||= ms === 0;
      return;
    }
    const at = this.#clock.now() + ms;
    if (this.#timer !== null && this.#timer.at <= at) return;
    this.#timer?.stop();
    this.#timer = { at, stop: this.#clock.after(ms, () => this.#run()) };
  }

  /** Begins nothing more. @returns the end of the work under way */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.stop();
    await this.#running;
  }

  #run(): void {
    this.#timer = null;
    this.#running = this.#work().finally(() => {
      this.#running = null;
      const ms = this.#isDue ? 0 : this.#nextInMs();
      this.#isDue = false;
      if (ms !== null) this.schedule(ms);
    });
  }
}
