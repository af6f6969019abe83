import { randomBytes } from 'node:crypto';
import { ShutdownError } from '../../errors.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import { Closures, isKeyReason } from './closures.ts';
import { openLimiter } from './limiter.ts';
import { Places } from './places.ts';
import type { Quota } from './quota.ts';
import type { ShardProject } from './shard-project.ts';
import { Starts, type Start } from './starts.ts';
import type { Permit, PermitAnswer, PermitRequest, ProjectView, Refusal } from './types.ts';
import { WaitQueue, type Waiter } from './wait-queue.ts';

export interface DispatcherOptions {
  db: Db;
  projects: readonly ShardProject[];
  quota: Quota;
  log: Pick<Logger, 'debug' | 'warn'>;
  /** The longest that a query waits here, ms. */
  maxWaitMs: number;
  /** A query for which one place was requested waits everywhere after so long without a permit, ms. */
  spreadAfterMs: number;
  /** Called when a permit took the last call of a project's day. */
  onDayUsedUp: (project: ShardProject, day: string) => void;
}

/** After a failure of the limiter, no place of that project is requested for so long. */
const RETRY_LIMITER_MS = 500;

/**
 * Grants permits to the waiting queries of this process: first a place from the limiter, then a call from the quota.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #places: Places;
  readonly #queue: WaitQueue;
  readonly #starts: Starts;
  readonly #closures = new Closures();
  readonly #processId = randomBytes(6).toString('hex');
  #permitCount = 0;
  #wakeTimer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Opens two connections beside the process's own. */
  constructor(options: DispatcherOptions) {
    const { projects, log, maxWaitMs, spreadAfterMs } = options;
    this.#options = options;
    this.#places = new Places({
      limiter: openLimiter(options),
      log,
      use: (project) => this.#grant(project),
      onFailed: (project) => {
        this.#closures.close(project, 'cooling', RETRY_LIMITER_MS);
        this.#requestPlaces();
      },
    });
    this.#queue = new WaitQueue({
      spreadAfterMs,
      maxWaitMs,
      onSpread: () => this.#requestPlaces(),
      onOverdue: (waiter) => waiter.answer(this.#closures.toWaitAnswer(waiter.projects)),
    });
    this.#starts = new Starts(options);
    for (const project of projects) this.#places.setLimit(project, project.rpm);
  }

  /** Takes over what a look at the quota found. */
  update(view: ProjectView): void {
    this.#places.setLimit(view.project, view.rpm);
    this.#closures.update(view.project, view);
  }

  /**
   * Waits for a permit.
   * @param where.first a project that has room now, where the query is sent first; null: none has
   * @throws the signal's reason; ShutdownError once the gate is closed
   */
  async wait(
    request: Required<PermitRequest>,
    where: { projects: readonly ShardProject[]; first: ShardProject | null },
    signal: AbortSignal,
  ): Promise<PermitAnswer> {
    this.assertOpen();
    const { projects, first } = where;
    const answer = this.#queue.join({ request, projects, waitsEverywhere: first === null }, signal);
    if (first === null) this.#requestPlaces();
    else this.#places.request(first);
    return answer;
  }

  /** @throws ShutdownError once it is closed */
  assertOpen(): void {
    if (this.#closed) throw new ShutdownError('the rate gate is closed');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#wakeTimer);
    for (const waiter of this.#queue.all()) waiter.fail(new ShutdownError('the rate gate is closed'));
    this.#starts.close();
    await this.#places.close();
  }

  /** Requests a place in each open project that queries wait for, and does so again when a closed one opens. */
  #requestPlaces(): void {
    clearTimeout(this.#wakeTimer);
    const waitedFor = this.#options.projects.filter((project) => this.#queue.isWaitedFor(project));
    const open = waitedFor.filter((project) => this.#closures.remainingMs(project) === 0);
    for (const project of open) if (!this.#places.isRequested(project)) this.#places.request(project);
    const opensInMs = waitedFor.map((project) => this.#closures.remainingMs(project)).filter((ms) => ms > 0);
    if (opensInMs.length === 0 || this.#closed) return;
    const wakeInMs = Math.min(Math.min(...opensInMs) + 1, this.#options.maxWaitMs);
    this.#wakeTimer = setTimeout(() => this.#requestPlaces(), wakeInMs);
  }

  /**
   * Uses one place of the project: grants a permit to the oldest query that may use it, then holds the place for a
   * window.
   */
  async #grant(project: ShardProject): Promise<void> {
    const waiter = this.#closed ? undefined : this.#queue.takeFor(project);
    if (waiter === undefined) return;
    const { quota, onDayUsedUp } = this.#options;
    this.#permitCount += 1;
    const id = `${this.#processId}-${this.#permitCount}`;
    const startedAt = performance.now();
    const isFresh = (): boolean => performance.now() - startedAt <= project.freshMs;
    try {
      const taking = await quota.take(project, { id, ...waiter.request });
      if (taking.kind !== 'granted') {
        waiter.waitsEverywhere = true;
        this.#queue.putBack(waiter);
        await this.#onRefused(project, waiter, taking);
      } else if (this.#closed || waiter.settled || !isFresh()) {
        await quota.giveBack(project, id, taking.day);
        this.#queue.putBack(waiter);
      } else {
        const { shard, day, left } = taking;
        const { tokens } = waiter.request;
        const start = this.#starts.add(project, { id, shard, day, startedAt, tokens });
        if (left === 0) onDayUsedUp(project, day);
        waiter.answer({ kind: 'permit', ...this.#toPermit(project, start), shard, day, isFresh });
        this.#requestPlaces();
        return await start.over;
      }
    } catch (error) {
      waiter.fail(error);
    }
    this.#requestPlaces();
  }

  #toPermit(project: ShardProject, { send, settle, release }: Start): Pick<Permit, 'send' | 'settle' | 'release'> {
    return {
      send,
      release,
      settle: async (tokens) => {
        await settle(tokens);
        this.#closures.lift(project, 'tokens');
        this.#requestPlaces();
      },
    };
  }

  /** The quota refused a call although the limiter gave a place. The waiter is back in the queue. */
  async #onRefused(project: ShardProject, waiter: Waiter, refusal: Refusal): Promise<void> {
    if (refusal.kind === 'lost') {
      this.#options.log.warn('rate gate: Redis lost the calls of the last minute; putting them back');
      return this.#starts.restore(); // the quota gives no permit until the others have done so, too
    }
    const { reason, delayMs, rpm, tpm } = refusal;
    this.#places.setLimit(project, rpm);
    if (reason !== 'too-large' && !isKeyReason(reason)) {
      this.#closures.close(project, reason, delayMs);
      return this.#giveUp();
    }
    waiter.projects = waiter.projects.filter((each) => each !== project);
    if (waiter.projects.length > 0) return;
    if (reason === 'too-large') waiter.answer({ kind: reason, limitTokens: tpm });
    else waiter.answer({ kind: 'wait', reason, untilMs: Date.now() + delayMs });
  }

  /** Answers the queries whose projects all stay closed for longer than a query waits here. */
  #giveUp(): void {
    for (const waiter of this.#queue.all()) {
      if (this.#closures.nextOpening(waiter.projects).inMs <= this.#options.maxWaitMs) continue;
      waiter.answer(this.#closures.toWaitAnswer(waiter.projects));
    }
  }
}
