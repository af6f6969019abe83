import type { PaceClock } from '../../../src/pacing/one-at-a-time.ts';

interface Event {
  at: number;
  order: number;
  act: () => void;
}

/**
 * A clock that jumps from one event to the next, so that minutes take as long as their work. Work that is waited for
 * outside of it, as an answer of Redis, must run in `outside`.
 */
export class VirtualTime {
  readonly #events: Event[] = [];
  #now = 1_000_000;
  #order = 0;
  #outside = 0;

  readonly clock: PaceClock = {
    now: () => this.#now,
    after: (ms, act) => {
      const event = { at: this.#now + Math.max(0, ms), order: (this.#order += 1), act };
      this.#events.push(event);
      return () => {
        const place = this.#events.indexOf(event);
        if (place >= 0) this.#events.splice(place, 1);
      };
    },
  };

  get now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(ms, resolve));
  }

  async outside<T>(work: () => Promise<T>): Promise<T> {
    this.#outside += 1;
    try {
      return await work();
    } finally {
      this.#outside -= 1;
    }
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await this.#settle();
      this.#events.sort((a, b) => a.at - b.at || a.order - b.order);
      const [next] = this.#events;
      if (next === undefined || next.at > end) break;
      this.#events.shift();
      this.#now = next.at;
      next.act();
    }
    this.#now = end;
  }

  async #settle(): Promise<void> {
    do await new Promise((resolve) => void setImmediate(resolve));
    while (this.#outside > 0);
  }
}
