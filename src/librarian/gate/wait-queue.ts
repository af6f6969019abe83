import type { PermitAnswer, PermitRequest } from './types.ts';
import type { ShardProject } from './shard-project.ts';

/** A query that waits for a permit. */
export interface Waiter {
  request: Required<PermitRequest>;
  /** The projects that it may use. */
  projects: readonly ShardProject[];
  /** Whether it waits for all its projects; false while a place was requested for it in one that had room. */
  waitsEverywhere: boolean;
  /** Whether it was answered, or its signal fired. */
  readonly settled: boolean;
  answer(answer: PermitAnswer): void;
  fail(error: unknown): void;
}

export interface WaitQueueOptions {
  /** A query without an answer waits everywhere after so long, ms. */
  spreadAfterMs: number;
  /** The longest that a query waits, ms. */
  maxWaitMs: number;
  /** Called when a query begins to wait everywhere. */
  onSpread: () => void;
  /** Called with a query that has waited for `maxWaitMs`; it must answer it. */
  onOverdue: (waiter: Waiter) => void;
}

/** The queries of this process that wait for a permit, oldest first. */
export class WaitQueue {
  readonly #options: WaitQueueOptions;
  #waiters: readonly Waiter[] = [];

  constructor(options: WaitQueueOptions) {
    this.#options = options;
  }

  /** Waits for the answer. @throws the signal's reason, or the error the waiter failed with */
  join(start: Pick<Waiter, 'request' | 'projects' | 'waitsEverywhere'>, signal: AbortSignal): Promise<PermitAnswer> {
    const { spreadAfterMs, maxWaitMs, onSpread, onOverdue } = this.#options;
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (act: () => void): void => {
        if (settled) return;
        settled = true;
        clearTimeout(spreading);
        clearTimeout(overdue);
        signal.removeEventListener('abort', abort);
        this.#remove(waiter);
        act();
      };
      const waiter: Waiter = {
        ...start,
        get settled() {
          return settled;
        },
        answer: (answer) => settle(() => resolve(answer)),
        fail: (error) => settle(() => reject(error)),
      };
      const abort = (): void => waiter.fail(signal.reason);
      const spreading = setTimeout(() => {
        waiter.waitsEverywhere = true;
        onSpread();
      }, spreadAfterMs);
      const overdue = setTimeout(() => onOverdue(waiter), maxWaitMs);
      signal.addEventListener('abort', abort, { once: true });
      this.#waiters = [...this.#waiters, waiter];
      if (signal.aborted) abort();
    });
  }

  /** Takes out the oldest query that may use the project. */
  takeFor(project: ShardProject): Waiter | undefined {
    const found = this.#waiters.find(({ projects }) => projects.includes(project));
    if (found !== undefined) this.#remove(found);
    return found;
  }

  /** Puts a query that got no permit back to the front. */
  putBack(waiter: Waiter): void {
    if (!waiter.settled) this.#waiters = [waiter, ...this.#waiters];
  }

  /** Whether a query waits for a place that nothing has requested for it. */
  isWaitedFor(project: ShardProject): boolean {
    return this.#waiters.some(({ waitsEverywhere, projects }) => waitsEverywhere && projects.includes(project));
  }

  /** Oldest first, as they are now. */
  all(): readonly Waiter[] {
    return this.#waiters;
  }

  #remove(waiter: Waiter): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
  }
}
