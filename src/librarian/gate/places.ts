import { setTimeout as sleep } from 'node:timers/promises';
import { toMessage } from '../../errors.ts';
import type { Logger } from '../../process/logger.ts';
import type { Limiter } from './limiter.ts';
import type { ShardProject } from './shard-project.ts';

/** How long closing waits for the limiter to take places back, ms. */
const CLOSE_GRACE_MS = 500;
/** A limiter that fails is logged at most so often, ms. */
const WARN_EVERY_MS = 60_000;

export interface PlacesOptions {
  limiter: Limiter;
  log: Pick<Logger, 'warn'>;
  /** Uses one place: the place stays taken until the promise settles. It never rejects. */
  use: (project: ShardProject) => Promise<void>;
  /** Called when the limiter failed to give a requested place. */
  onFailed: (project: ShardProject) => void;
}

/** The places that this process requests from the limiter and holds. */
export class Places {
  readonly #options: PlacesOptions;
  /** Places that were requested and not given yet. */
  readonly #requested = new Map<ShardProject, number>();
  /** Requests whose place is in use. */
  readonly #given = new Set<Promise<void>>();
  /** The number of places that was last sent to the limiter. */
  readonly #limits = new Map<ShardProject, number>();
  #warnedAt = -Infinity;
  #closed = false;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** Requests one place; once the limiter gives it, `use` is called. */
  request(project: ShardProject): void {
    if (this.#closed) return;
    this.#count(project, 1);
    const request: Promise<void> = this.#requestOne(project, () => {
      this.#count(project, -1);
      this.#given.add(request);
    }).finally(() => this.#given.delete(request));
  }

  isRequested(project: ShardProject): boolean {
    return (this.#requested.get(project) ?? 0) > 0;
  }

  /** Sets how many places the project has, for all processes. */
  setLimit(project: ShardProject, count: number): void {
    if (this.#limits.get(project) === count) return;
    this.#limits.set(project, count);
    this.#options.limiter.setPlaces(project, count).catch((error: unknown) => {
      this.#limits.delete(project);
      if (this.#closed) return;
      this.#options.log.warn({ project: project.id, reason: toMessage(error) }, 'rate gate: limit not set');
    });
  }

  /** Requests no more places, waits a moment until those in use are given back, then closes the limiter. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.race([Promise.allSettled(this.#given), sleep(CLOSE_GRACE_MS)]);
    this.#options.limiter.close();
  }

  async #requestOne(project: ShardProject, onGiven: () => void): Promise<void> {
    const { limiter, use, onFailed } = this.#options;
    let isGiven = false;
    try {
      await limiter.schedule(project, async () => {
        isGiven = true;
        onGiven();
        await use(project);
      });
    } catch (error) {
      // The limiter took back a place that was held too long; the quota still counts the call.
      if (isGiven || this.#closed) return;
      this.#count(project, -1);
      this.#warn(project, error);
      onFailed(project);
    }
  }

  #count(project: ShardProject, by: number): void {
    this.#requested.set(project, (this.#requested.get(project) ?? 0) + by);
  }

  #warn({ id }: ShardProject, error: unknown): void {
    if (performance.now() - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = performance.now();
    const reason = toMessage(error);
    this.#options.log.warn({ project: id, reason }, 'rate gate: the limiter does not answer; asking again');
  }
}
