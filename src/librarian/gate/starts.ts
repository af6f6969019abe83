import { toMessage } from '../../errors.ts';
import { observeRequest } from '../../models/request-trace.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import type { Quota } from './quota.ts';
import type { ShardProject } from './shard-project.ts';

/** A call of this process that still counts in a window. */
export interface Start {
  /** Resolves when the call has left the window, or was released. */
  over: Promise<void>;
  /** See `Permit`. */
  send<Result>(call: () => Promise<Result>): Promise<Result>;
  /** Replaces the estimated tokens by the prompt's count. */
  settle(tokens: number): Promise<void>;
  /** Gives the call back: it was never sent. */
  release(): Promise<void>;
}

interface StartRecord {
  /** The permit's id. */
  id: string;
  shard: number;
  /** Name of the day whose quota the call is counted in. */
  day: string;
  /** By performance.now(). */
  startedAt: number;
  tokens: number;
}

interface Timer {
  over: Promise<void>;
  /** Resolves `over` after `ms` instead. */
  restart(ms: number): void;
  /** Resolves `over` now. */
  end(): void;
}

/** Node may fire a timer a millisecond early. */
const EARLY_MS = 2;

type Running = StartRecord & {
  timer: Timer;
  /** When its request left, by performance.now(); null: it has not left. */
  leftAt: number | null;
};

/**
 * The calls that this process started within the last window. Whenever Redis is back it puts them into the quota again,
 * because Redis may have lost them.
 */
export class Starts {
  readonly #db: Db;
  readonly #quota: Quota;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #running: ReadonlyMap<ShardProject, Set<Running>>;

  constructor(options: { db: Db; projects: readonly ShardProject[]; quota: Quota; log: Pick<Logger, 'warn'> }) {
    this.#db = options.db;
    this.#quota = options.quota;
    this.#log = options.log;
    this.#running = new Map(options.projects.map((project) => [project, new Set<Running>()]));
    this.#db.redis.on('ready', this.#onReady);
  }

  /** Records a call that the quota granted, until its window is over. */
  add(project: ShardProject, record: StartRecord): Start {
    const running = this.#running.get(project) ?? new Set();
    const timer = createTimer(project.unsentMs + project.heldMs + EARLY_MS);
    const start: Running = { ...record, timer, leftAt: null };
    running.add(start);
    return {
      over: timer.over.then(() => void running.delete(start)),
      send: (call) => this.#send(project, start, call),
      settle: async (tokens) => {
        start.tokens = Math.max(0, Math.round(tokens));
        await this.#quota.settle(project, start.id, start.tokens);
      },
      release: async () => {
        running.delete(start);
        await this.#quota.giveBack(project, start.id, start.day);
        timer.end();
      },
    };
  }

  /** Puts the calls back into the quota where Redis has lost them. */
  async restore(): Promise<void> {
    const now = performance.now();
    for (const [project, running] of this.#running) {
      const rows = [...running].map((start) => ({
        ...start,
        ageMs: now - (start.leftAt ?? start.startedAt + project.unsentMs),
      }));
      if (rows.length > 0) await this.#quota.restore(project, rows);
    }
  }

  /** Ends every timer, so that the limiter's places are given back. The quota still counts the calls. */
  close(): void {
    this.#db.redis.off('ready', this.#onReady);
    for (const running of this.#running.values()) for (const { timer } of running) timer.end();
  }

  /**
   * The provider counts a call when it arrives: after it has left, and before its answer begins. An answer that begins soon
   * may show a slow way to the provider; a late one shows a model at work.
   */
  async #send<Result>(project: ShardProject, start: Running, call: () => Promise<Result>): Promise<Result> {
    const sent = (): void => this.#noteDeparture(project, start);
    const answered = (): void => {
      const tookMs = performance.now() - (start.leftAt ?? 0);
      if (tookMs > project.heldMs - project.windowMs && tookMs <= project.travelMs) sent();
    };
    try {
      return await observeRequest({ sent, answered }, call);
    } finally {
      if (start.leftAt === null) sent(); // it reported nothing: it may have left until now
    }
  }

  #noteDeparture(project: ShardProject, start: Running): void {
    start.leftAt = performance.now();
    const restart = (): void => start.timer.restart(project.heldMs + EARLY_MS);
    this.#quota.noteDeparture(project, start).then(restart, (error: unknown) => {
      restart();
      this.#log.warn({ reason: toMessage(error) }, 'rate gate: a call counts from its permit, not from its departure');
    });
  }

  readonly #onReady = (): void => {
    this.restore().catch((error: unknown) => {
      this.#log.warn({ reason: toMessage(error) }, 'rate gate: calls not put back');
    });
  };
}

function createTimer(ms: number): Timer {
  let resolve: () => void = () => undefined;
  let isOver = false;
  const over = new Promise<void>((done) => (resolve = done));
  const end = (): void => {
    isOver = true;
    clearTimeout(timeout);
    resolve();
  };
  let timeout = setTimeout(end, ms);
  return {
    over,
    restart(anew) {
      clearTimeout(timeout);
      if (!isOver) timeout = setTimeout(end, anew);
    },
    end,
  };
}
