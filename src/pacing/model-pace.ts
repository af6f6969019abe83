import { randomBytes } from 'node:crypto';
import { ModelCoolingError, ShutdownError, toMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { CallsInFlight, NOTHING_RESERVED } from './calls-in-flight.ts';
import type { OwnLimits, PaceAnswer, PaceExchange, PaceReport } from './exchange.ts';
import { OneAtATime, type PaceClock } from './one-at-a-time.ts';
import { PaceQueue, type Waiter } from './pace-queue.ts';
import type { PaceAsk, PacedRow, PaceWait, Permit } from './types.ts';

export interface ModelPaceParts {
  model: string;
  row: PacedRow;
  /** Name of the worker. */
  who: string | undefined;
  exchange: PaceExchange;
  clock: PaceClock;
  log: Pick<Logger, 'warn'>;
  /** Jobs of this process that have begun and make calls of this model. */
  openRuns(): number;
}

/** A call that may not begin for so long leaves its slot. */
export const LONGEST_WAIT_MS = 60_000;
/** A fresh job that waited so long for its first call comes back after this. */
const COME_BACK_MS = 30_000;
const LEASE_MS = 15_000;
/** A process with calls under way reports at least so often. */
const REPORT_EVERY_MS = 5_000;
/** What ended is reported after so long, if nothing else is asked meanwhile. */
const REPORT_AFTER_MS = 100;
const REPORT_FREE_AFTER_MS = 400;
/** While calls wait, an exchange happens at least so often. */
const LOOK_EVERY_MS = 1_000;
const RETRY_MS = 500;
const LONGEST_CLOSE_MS = 1_000;

/**
 * This process's side of the pacer for one model: the calls that wait, the calls under way, and one exchange with Redis at a
 * time, which reports and asks for all of them. While Redis is away it waits and lets no call begin.
 */
export class ModelPace {
  readonly #parts: ModelPaceParts;
  readonly #process = randomBytes(6).toString('hex');
  readonly #queue = new PaceQueue();
  readonly #calls: CallsInFlight;
  readonly #own: { own?: OwnLimits };
  readonly #unchecked = new Set<Waiter>(); // calls of which it is not known whether they are needed
  #waitMs = LOOK_EVERY_MS; // until the next exchange while calls wait, by the last answer
  #freeUntil = 0; // until then calls begin without asking, by the clock
  #most = 0; // at once, while free
  readonly #exchanges: OneAtATime;
  #nonce = 0;
  #pauses: [number, number] = [0, 0];
  #left: [number, number] = [0, 0];
  #isClosed = false;

  constructor(parts: ModelPaceParts) {
    this.#parts = parts;
    this.#own = toOwnLimits(parts.row);
    this.#calls = new CallsInFlight({
      now: () => parts.clock.now(),
      countsCacheReads: parts.row.countsCacheReads ?? false,
      onEnd: (isRefused) => this.#onEnd(isRefused),
    });
    this.#exchanges = new OneAtATime(
      parts.clock,
      () => this.#exchange(),
      () => this.#nextInMs(),
    );
  }

  /** A permit that costs no round trip; null: there is none, `admit` waits for one. */
  admitNow({ begun, inputTokens }: PaceAsk): Permit | null {
    if (this.#freeUntil === 0 || this.#queue.size > 0 || this.#calls.count >= this.#most) return null;
    const leftMs = this.#freeUntil - this.#parts.clock.now();
    if (leftMs <= 0) return null;
    if (leftMs < REPORT_AFTER_MS) this.#exchanges.schedule(0);
    return this.#calls.begin(begun, inputTokens, NOTHING_RESERVED);
  }

  /** @param since see `Waiter` @throws see `RunPace.admit` */
  async admit(ask: PaceAsk, wait: PaceWait, since: number): Promise<Permit | null> {
    wait.signal.throwIfAborted();
    if (this.#isClosed) throw new ShutdownError('the pacer is closed');
    const { waiter, permit } = this.#queue.join(ask, wait, since);
    this.#exchanges.schedule(0);
    if (wait.isNeeded !== undefined) this.#unchecked.add(waiter);
    return permit;
  }

  /** A job was busy for so long between two calls. */
  notePause(ms: number): void {
    this.#pauses = [this.#pauses[0] + 1, this.#pauses[1] + ms];
  }

  /** A run of a task is over that made so many calls. */
  noteLeft(calls: number): void {
    this.#left = [this.#left[0] + 1, this.#left[1] + calls];
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const waiter of this.#queue.all()) waiter.fail(new ShutdownError('this process goes away'));
    const ended = this.#exchanges.stop();
    if (this.#nonce === 0) return;
    // Redis forgets the process by itself, so that nothing is lost if it is away.
    await new Promise<void>((resolve) => {
      const stop = this.#parts.clock.after(LONGEST_CLOSE_MS, resolve);
      void this.#leave(ended).finally(() => {
        stop();
        resolve();
      });
    });
  }

  async #leave(ended: Promise<void>): Promise<void> {
    await ended;
    await this.#parts.exchange(this.#toReport().report).catch(() => undefined);
  }

  #onEnd(isRefused: boolean): void {
    if (isRefused) this.#freeUntil = 0;
    if (isRefused || this.#queue.size > 0) this.#exchanges.schedule(0);
    else this.#exchanges.schedule(this.#reportAfterMs);
  }

  /** Nobody waits for what is known of calls that no limit is stated for. */
  get #reportAfterMs(): number {
    return this.#freeUntil > 0 ? REPORT_FREE_AFTER_MS : REPORT_AFTER_MS;
  }

  #nextInMs(): number | null {
    if (this.#queue.size > 0) return this.#waitMs;
    if (this.#calls.isDirty) return this.#reportAfterMs;
    return this.#calls.count > 0 ? REPORT_EVERY_MS : null;
  }

  async #exchange(): Promise<void> {
    this.#dismiss();
    const { report, asked } = this.#toReport();
    for (;;) {
      try {
        this.#take(await this.#parts.exchange(report), asked);
        return;
      } catch (error) {
        this.#parts.log.warn({ reason: toMessage(error) }, 'pacer: no answer of Redis; it is asked again');
        await new Promise<void>((resolve) => void this.#parts.clock.after(RETRY_MS, resolve));
        if (this.#isClosed) return;
      }
    }
  }

  #toReport(): { report: PaceReport; asked: Waiter[] } {
    const now = this.#parts.clock.now();
    const { asked, ...queued } = this.#queue.toReport(now);
    this.#nonce += 1;
    const [pauses, left] = [this.#pauses, this.#left];
    this.#pauses = [0, 0];
    this.#left = [0, 0];
    return {
      asked,
      report: {
        process: this.#process,
        nonce: String(this.#nonce),
        lease: LEASE_MS,
        ...queued,
        open: this.#parts.openRuns(),
        pauses,
        left,
        ...this.#own,
        ...(this.#parts.who === undefined ? {} : { who: this.#parts.who }),
        leaves: this.#isClosed,
        ...this.#calls.take(),
      },
    };
  }

  #take({ granted, wait, hold, free, most, halted }: PaceAnswer, asked: Waiter[]): void {
    const now = this.#parts.clock.now();
    this.#waitMs = Math.min(wait, LOOK_EVERY_MS);
    this.#freeUntil = free > 0 ? now + free : 0;
    this.#most = most;
    asked.forEach((waiter, i) => {
      const reserved = granted[i];
      if (reserved === undefined) return;
      this.#unchecked.delete(waiter);
      const permit = this.#calls.begin(waiter.ask.begun, waiter.ask.inputTokens, reserved);
      if (this.#queue.has(waiter)) waiter.answer(permit);
      else permit.giveBack(); // it ended meanwhile
    });
    // The step that reserves the call's money refuses it while the fleet is halted.
    if (halted) {
      for (const waiter of this.#queue.all()) {
        waiter.answer(this.#calls.begin(waiter.ask.begun, waiter.ask.inputTokens, NOTHING_RESERVED));
      }
    }
    if (hold > LONGEST_WAIT_MS) for (const waiter of this.#queue.all()) this.#sendAway(waiter, hold);
    for (const waiter of this.#unchecked) this.#check(waiter);
  }

  #check(waiter: Waiter): void {
    this.#unchecked.delete(waiter);
    if (!this.#queue.has(waiter)) return;
    waiter.wait.isNeeded?.().then(
      (isNeeded) => isNeeded || waiter.answer(null),
      (error: unknown) => waiter.fail(error),
    );
  }

  /** Ends the waits that are over. */
  #dismiss(): void {
    const now = this.#parts.clock.now();
    for (const waiter of this.#queue.all()) {
      if (waiter.wait.isDraining()) waiter.fail(new ShutdownError('this process goes away, or makes room'));
      else if (!waiter.ask.begun && now - waiter.since >= LONGEST_WAIT_MS) this.#sendAway(waiter, COME_BACK_MS);
    }
  }

  #sendAway(waiter: Waiter, ms: number): void {
    const { model } = this.#parts;
    const whose = this.#own.own === undefined ? "its provider's limits" : 'the limits of its row and its provider';
    const text = `${model} is used up to ${whose}; begun tasks come first (fleet limits)`;
    waiter.fail(new ModelCoolingError(model, ms, text));
  }
}

function toOwnLimits({ limits }: PacedRow): { own?: OwnLimits } {
  if (limits === undefined) return {};
  const { rpm, itpm, otpm, concurrent } = limits;
  const stated = Object.entries({ requests: rpm, input: itpm, output: otpm, concurrent });
  const own = Object.fromEntries(stated.filter(([, limit]) => limit !== undefined)) as OwnLimits;
  return Object.keys(own).length === 0 ? {} : { own };
}
