import type { PaceReport } from './exchange.ts';
import type { PaceAsk, PaceWait, Permit } from './types.ts';

/** A call of this process that waits. */
export interface Waiter {
  ask: PaceAsk;
  wait: PaceWait;
  /** What orders its class, by the pacer's clock, ms: of a fresh call when it began to wait, of a begun one when its run began. */
  since: number;
  /** @param permit null: the call is not needed */
  answer(permit: Permit | null): void;
  fail(error: unknown): void;
}

/** Most calls that one exchange asks for: the answer names those that may begin at once, and they are few. */
const MOST_ASKS = 64;

/** The calls of this process that wait: begun ones first, and of these the oldest run, so that tasks end. */
export class PaceQueue {
  readonly #begun: Waiter[] = [];
  readonly #fresh: Waiter[] = [];

  get size(): number {
    return this.#begun.length + this.#fresh.length;
  }

  /** @throws the signal's reason, or what the waiter failed with */
  join(ask: PaceAsk, wait: PaceWait, since: number): { waiter: Waiter; permit: Promise<Permit | null> } {
    let waiter: Waiter | undefined;
    const permit = new Promise<Permit | null>((resolve, reject) => {
      const leave = (): void => {
        wait.signal.removeEventListener('abort', abort);
        this.#remove(joined);
      };
      const joined: Waiter = {
        ask,
        wait,
        since,
        answer(given) {
          leave();
          resolve(given);
        },
        fail(error) {
          leave();
          reject(error);
        },
      };
      const abort = (): void => joined.fail(wait.signal.reason);
      wait.signal.addEventListener('abort', abort, { once: true });
      this.#add(joined);
      waiter = joined;
    });
    return { waiter: waiter as unknown as Waiter, permit };
  }

  /** Begun ones first. */
  all(): Waiter[] {
    return [...this.#begun, ...this.#fresh];
  }

  toReport(now: number): Pick<PaceReport, 'asks' | 'waiting' | 'ages'> & { asked: Waiter[] } {
    const asked = this.all().slice(0, MOST_ASKS);
    const ageOf = ([first]: Waiter[]): number => (first === undefined ? 0 : Math.max(0, now - first.since));
    return {
      asked,
      asks: asked.map(({ ask }) => [ask.begun ? 1 : 2, ask.inputTokens, ask.outputTokens]),
      waiting: [this.#begun.length, this.#fresh.length],
      ages: [ageOf(this.#begun), ageOf(this.#fresh)],
    };
  }

  has(waiter: Waiter): boolean {
    return this.#listOf(waiter).includes(waiter);
  }

  #add(waiter: Waiter): void {
    const list = this.#listOf(waiter);
    const place = list.findLastIndex(({ since }) => since <= waiter.since);
    list.splice(place + 1, 0, waiter);
  }

  #remove(waiter: Waiter): void {
    const list = this.#listOf(waiter);
    const place = list.indexOf(waiter);
    if (place >= 0) list.splice(place, 1);
  }

  #listOf({ ask }: Waiter): Waiter[] {
    return ask.begun ? this.#begun : this.#fresh;
  }
}
