/**
 * One token bucket: it fills at `perMinute / 60` a second up to `capacity`, and what is taken may put it into debt.
 * https://platform.claude.com/docs/en/api/rate-limits ("token bucket algorithm"); OpenAI: https://platform.openai.com/docs/guides/rate-limits
 */
export class Bucket {
  readonly perMinute: number;
  readonly capacity: number;
  #level: number;
  #at: number; // instant of #level, ms

  /** @param burstMs how long an unused limit adds up. The provider enforces a minute over shorter spans, too */
  constructor(perMinute: number, burstMs: number, now: number) {
    this.perMinute = perMinute;
    this.capacity = Math.max(1, (perMinute * burstMs) / 60_000);
    this.#level = this.capacity;
    this.#at = now;
  }

  level(now: number): number {
    const added = (Math.max(0, now - this.#at) * this.perMinute) / 60_000;
    this.#level = Math.min(this.capacity, this.#level + added);
    this.#at = Math.max(this.#at, now);
    return this.#level;
  }

  /** Ms until the bucket holds as much; 0: it does. More than the capacity is granted when it is full. */
  waitMs(amount: number, now: number): number {
    const missing = Math.min(amount, this.capacity) - this.level(now);
    return missing <= 0 ? 0 : (missing * 60_000) / this.perMinute;
  }

  take(amount: number, now: number): void {
    this.#level = this.level(now) - amount;
  }

  /** When the bucket is full again, ms since 1970. */
  fullAt(now: number): number {
    return now + ((this.capacity - this.level(now)) * 60_000) / this.perMinute;
  }
}
