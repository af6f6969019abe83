import type { Usage } from '../../../queues/usage.ts';
import { CallTimeoutError, FleetError, ShutdownError, type Billed, type BilledUsage } from '../../errors.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import { costNanoUsd, mostNanoUsd, type CallBound } from '../../pricing/cost.ts';
import { addUsage } from '../../pricing/tokens.ts';
import { toCallOutcome } from '../../run-record/call-outcome.ts';
import { NOT_BILLED, TimedCall } from '../../run-record/timed-call.ts';
import { toCutOff, toRepeatedTimeout } from '../refusals.ts';
import type { Booking, JobTotals, RunPlace, TaskIdentity, Turn, TurnLedger, TurnNote } from '../types.ts';
import { LongCall, type Send } from './long-call.ts';

/** What a call is booked at: the prices of a model, or nothing. */
export interface Payer {
  entry: CatalogEntry;
  /** The provider bills nothing. The call is booked at 0, its list price apart. */
  free: boolean;
}

export interface PaidReply<Reply> {
  kind: 'reply';
  turn: Turn;
  reply: Reply;
  /** The job with the payer of this call. */
  identity: TaskIdentity;
  /** Null: an earlier run booked and stored the reply. */
  booking: Booking | null;
}

/** Money reserved for one call. */
export interface Reservation<Reply> {
  /**
   * Makes the call, once. If it throws, what it cost is booked first: `FleetError.billed`, else unknown. Of a broken stream the
   * reported part is settled, and the rest of the reservation becomes uncertain, in one step.
   */
  send(call: Send<Reply>): Promise<PaidReply<Reply>>;
  /** For a call that is not sent: gives the money back. */
  release(): Promise<void>;
}

/** What a job has cost so far, over all its runs. */
export interface JobAccount {
  totals: JobTotals;
}

interface CallParts {
  ledger: TurnLedger;
  place: RunPlace | undefined;
  /** The job with the payer of this call. */
  identity: TaskIdentity;
  account: JobAccount;
}

interface ReservedTerms {
  place: { epoch: string; turn: Turn };
  payer: Payer;
  bound: CallBound;
  /** Id of what is reserved. */
  reservation: string;
  /** What is reserved, nano-dollars. */
  heldNanoUsd: number;
}

const NO_NOTE: TurnNote = { log: '', progress: null };
/** The turn of a call that leaves no reply to store. */
const NO_TURN = -1;

/** One call for which money is reserved. It books what the call cost, or leaves it uncertain, before anything else sees the reply. */
export class ReservedCall<Reply extends { usage: Usage; geo?: string }> implements Reservation<Reply> {
  readonly #parts: CallParts;
  readonly #terms: ReservedTerms;

  constructor(parts: CallParts, terms: ReservedTerms) {
    this.#parts = parts;
    this.#terms = terms;
  }

  async send(call: Send<Reply>): Promise<PaidReply<Reply>> {
    const { place, identity } = this.#parts;
    const { turn } = this.#terms.place;
    const long = new LongCall((reported) => this.#noteInput(reported));
    const timed = new TimedCall(identity, { turn, held: this.#terms.heldNanoUsd });
    let reply: Reply;
    try {
      if (place !== undefined) await place.enter(`in the call of turn ${turn}`);
      reply = await call(long.onInput);
      long.end();
      if (place !== undefined) await place.enter(`with the reply of turn ${turn}`);
    } catch (error) {
      long.end();
      const bookedNanoUsd = await this.#bookError(error, timed);
      if (error instanceof ShutdownError) throw toCutOff(error, bookedNanoUsd);
      throw await this.#failRepeated(error);
    }
    const booking = this.#book(toBilled(reply));
    const ms = timed.note(booking, null);
    return { kind: 'reply', turn, reply, identity, booking: { ...booking, ms } };
  }

  release(): Promise<void> {
    return this.#parts.ledger.closeReservation(this.#parts.identity, this.#terms.reservation, 'release');
  }

  /** The error itself, unless the call reached the same time limit as the try before it: then asking again would only cost more. */
  async #failRepeated(error: unknown): Promise<unknown> {
    if (!(error instanceof CallTimeoutError)) return error;
    const { ledger, identity } = this.#parts;
    const isRepeated = await ledger.noteTimeout(identity, this.#terms.place, error);
    return isRepeated ? toRepeatedTimeout(error) : error;
  }

  /** @returns what was booked, nano-dollars; null: what the call cost is unknown, and stays uncertain */
  async #bookError(error: unknown, timed: TimedCall): Promise<number | null> {
    const { ledger, identity, account } = this.#parts;
    const { payer, bound, reservation, place } = this.#terms;
    const billed: Billed = (error instanceof FleetError ? error.billed : undefined) ?? 'unknown';
    if (typeof billed === 'object') {
      const isBroken = 'reported' in billed;
      const booked = this.#book(isBroken ? billed.reported : billed);
      const booking: Booking = {
        ...booked,
        ms: timed.note(booked, error),
        ...(isBroken ? { isBroken, mostNanoUsd: mostNanoUsd(payer.entry, bound, billed.reported) } : {}),
      };
      await ledger.settle(identity, { ...place, turn: NO_TURN }, booking, null, account.totals, NO_NOTE);
      return booking.nanoUsd;
    }
    const isNothing = billed === 'no' || payer.free; // a free call costs nothing, served or not
    const ms = timed.note(isNothing ? NOT_BILLED : null, error);
    const { model, costVendor } = identity;
    await ledger.closeReservation(identity, reservation, isNothing ? 'release' : 'uncertain', {
      model,
      costVendor,
      outcome: toCallOutcome(error),
      ms,
    });
    return isNothing ? 0 : null;
  }

  /** A call whose process dies stays uncertain at what is held for it: its prompt is held at its price from now on. */
  #noteInput(reported: Usage): void {
    const { payer, bound, reservation } = this.#terms;
    if (payer.free) return;
    const noted = this.#parts.ledger.noteInput(reservation, mostNanoUsd(payer.entry, bound, reported));
    noted.catch(() => undefined); // then more is held than needed; the end of the call meets the same Redis, and throws
  }

  #book({ geo, ...usage }: BilledUsage): Booking {
    const { account } = this.#parts;
    const { payer, reservation } = this.#terms;
    const listNanoUsd = costNanoUsd(payer.entry, usage, geo);
    const nanoUsd = payer.free ? 0 : listNanoUsd;
    const { nanoUsd: before, usage: used, calls } = account.totals;
    account.totals = { nanoUsd: before + nanoUsd, usage: addUsage(used, usage), calls: calls + 1 };
    return { reservation, nanoUsd, usage, ...(payer.free ? { listNanoUsd } : {}) };
  }
}

function toBilled({ usage, geo }: { usage: Usage; geo?: string }): BilledUsage {
  return geo === undefined ? usage : { ...usage, geo };
}
