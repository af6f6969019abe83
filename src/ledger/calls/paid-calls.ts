import type { Usage } from '../../../queues/usage.ts';
import { ShutdownError, toMessage } from '../../errors.ts';
import type { PaceAsk, Permit, RunPace } from '../../pacing/types.ts';
import { worstCaseNanoUsd, type CallBound } from '../../pricing/cost.ts';
import { NO_USAGE } from '../../pricing/tokens.ts';
import { findingTaken, heldElsewhere, lockLost, toRefusalError } from '../refusals.ts';
import type {
  BeginAnswer,
  JobIdentity,
  JobTotals,
  RecordAnswer,
  RunPlace,
  TaskIdentity,
  ToolResults,
  Turn,
  TurnLedger,
  TurnNote,
} from '../types.ts';
import { countBound, mayBeTooLow, type CallSize } from './call-bound.ts';
import type { Send } from './long-call.ts';
import { callWithPermit, toAsk } from './paced-call.ts';
import { ReservedCall, type JobAccount, type PaidReply, type Payer, type Reservation } from './reserved-call.ts';

export interface CallTerms {
  turn: Turn;
  payer: Payer;
  /** The size of the call; its worst case is reserved. */
  bound: CallSize;
}

/** The job's finding is stored already, as JSON: the process that stored it died before BullMQ had the end of the job. */
export interface DoneJob {
  kind: 'done';
  finding: string;
}

export interface PaidCallsParts {
  ledger: TurnLedger;
  identity: JobIdentity;
  /** Fires when the run must end at once. Its reason is the error that the run ends with. */
  signal: AbortSignal;
  /** True once the process shuts down or makes room for a job that must run alone: no call begins. */
  isDraining(): boolean;
  /** Keeps the provider's limits for the calls of this run. Absent: they begin at once. */
  pace?: RunPace | undefined;
  /** Of a job's run. Absent: the calls are no job's. */
  place?: RunPlace | undefined;
}

/**
 * The paid calls of one run of one job, one at a time: reserve, call, store and settle.
 *
 * Delivery contract: the process may die at any line. A stored reply is replayed by the next run and paid once. A call
 * that was under way when the process died is booked as *uncertain* at its worst case. A refusal of the ledger ends the
 * run with the error that `refusals.ts` maps it to.
 */
export class PaidCalls<Reply extends { usage: Usage; geo?: string }> {
  readonly #parts: PaidCallsParts;
  #isLoaded = false; // the ledger's first answer brings what earlier runs stored
  #epoch = '';
  #stored = new Map<string, string>();
  #toolResults: ToolResults | undefined;
  #reserved: { size: CallSize; bound: CallBound } | null = null; // counted once, though a run's first request is made twice
  #heldNanoUsd = 0; // for the call that is under way, or was last
  readonly #account: JobAccount = { totals: { nanoUsd: 0, usage: { ...NO_USAGE }, calls: 0 } };

  constructor(parts: PaidCallsParts) {
    this.#parts = parts;
  }

  /** What the job has cost, over all its runs; known once the ledger has answered. */
  get totals(): JobTotals {
    return this.#account.totals;
  }

  /**
   * Replays the reply of a turn, or reserves and makes the call. A new reply is not stored yet: pass it to `store`, or to
   * `record` if it ends the job.
   * @param send makes the call
   * @throws what `send` throws, the signal's reason, ShutdownError, and the errors of `toRefusalError`
   */
  async make(terms: CallTerms, send: Send<Reply>): Promise<PaidReply<Reply> | DoneJob> {
    const stored = this.#storedReply(terms);
    if (stored !== null) return stored;
    const { pace, place } = this.#parts;
    if (place !== undefined) await place.leave(); // until the call is on its way, the run only waits
    if (pace === undefined) return await this.#callOnce(terms, send);
    const ask = toAsk(terms.turn, terms.payer.entry.id, terms.bound);
    const permit = pace.admitNow(ask) ?? (await this.#admit(terms, ask, pace));
    if (permit === null) return await this.#callOnce(terms, send);
    const payer = permit.free === undefined ? terms.payer : { ...terms.payer, free: permit.free };
    const paced = await callWithPermit(permit, send, (noted) => this.#callOnce({ ...terms, payer }, noted));
    if (paced.made !== null) return paced.made;
    this.#parts.identity.record?.note({ kind: 'wait', reason: toMessage(paced.refusal), until: null });
    await pace.note(`waits: ${toMessage(paced.refusal)}`);
    return this.make(terms, send);
  }

  async #callOnce(terms: CallTerms, send: Send<Reply>): Promise<PaidReply<Reply> | DoneJob> {
    const stored = this.#storedReply(terms); // the wait for a permit may have loaded it
    if (stored !== null) return stored;
    const answer = await this.#begin(terms);
    if (answer.kind === 'done') return answer;
    if (answer.kind === 'replay') return this.#callOnce(terms, send); // this answer only loaded what is stored
    return await this.#toReservation(terms, answer.reservation).send(send);
  }

  /** Waits for the provider's limits, in the slot and without a reservation. Null: the reply is stored. */
  async #admit({ turn, payer }: CallTerms, ask: PaceAsk, pace: RunPace): Promise<Permit | null> {
    const { signal, isDraining, ledger, identity } = this.#parts;
    if (this.#mustEnd) await this.#endRun();
    let looking: Promise<boolean> | undefined;
    const isNeeded = (): Promise<boolean> =>
      (looking = this.readStored(turn, payer).then(({ kind }) => kind === 'new'));
    let permit: Permit | null = null;
    try {
      permit = await pace.admit(ask, { signal, isDraining, ...(this.#isLoaded ? {} : { isNeeded }) });
      await looking; // a job holds one reservation at a time, also while the ledger is only read
      return permit;
    } catch (error) {
      permit?.giveBack();
      if (this.#toolResults !== undefined) await ledger.keepToolResults(identity, this.#toolResults);
      throw error;
    }
  }

  /** Reserves a call that the caller sends or releases itself. `readStored` comes first. @throws like `make` */
  async reserve(terms: CallTerms): Promise<Reservation<Reply>> {
    const answer = await this.#begin(terms);
    if (answer.kind === 'done') throw toRefusalError(answer, this.#identify(terms.payer));
    if (answer.kind === 'replay')
      throw new ShutdownError('an earlier call for this job was answered late: the next run uses that reply');
    return this.#toReservation(terms, answer.reservation);
  }

  /**
   * Reads what earlier runs left of a turn, before the caller waits for a place to make the call.
   * @returns `reply`: the JSON that `store` kept
   * @throws the errors of `toRefusalError`
   */
  async readStored(turn: Turn, payer: Payer): Promise<DoneJob | { kind: 'reply'; json: string } | { kind: 'new' }> {
    const identity = this.#identify(payer);
    const { ledger } = this.#parts;
    const answer = this.#accept(
      await ledger.begin(identity, { turn, worstNanoUsd: 0, first: true, noCall: true }),
      identity,
    );
    if (answer.kind === 'done') return answer;
    if (answer.kind === 'reserved') await ledger.closeReservation(identity, answer.reservation, 'release');
    const json = this.#stored.get(`r:${this.#epoch}:${turn}`);
    return json === undefined ? { kind: 'new' } : { kind: 'reply', json };
  }

  /**
   * Books a new reply and stores it, in one step. A replayed one is stored already.
   * @param kept what a later run finds; default the reply
   * @throws LockLostError; the reply is booked, and kept for the process that has the job
   */
  async store(paid: PaidReply<Reply>, note: TurnNote, kept: object = paid.reply): Promise<void> {
    const { booking, identity, turn } = paid;
    if (booking === null) return;
    const place = { epoch: this.#epoch, turn };
    const answer = await this.#parts.ledger.settle(identity, place, booking, kept, this.#account.totals, note);
    if (answer === 'lock-lost') throw lockLost(identity.jobId);
    this.#stored.set(`r:${this.#epoch}:${turn}`, JSON.stringify(kept));
  }

  /**
   * Ends the job with the script that books its last call and stores its finding, in one step.
   * @param paid null: no reply led to the finding, or it was read with `readStored`
   * @param kept what the process that has the job now finds instead of the reply
   * @throws LockLostError, TaskFailedError `finding-taken`, HeldElsewhereError
   */
  async record(
    paid: PaidReply<Reply> | null,
    script: () => Promise<RecordAnswer>,
    kept: object | undefined = paid?.reply,
  ): Promise<void> {
    const { ledger, identity } = this.#parts;
    const answer = await script();
    if (answer === 'taken') throw findingTaken(identity.findingId);
    if (answer === 'held') throw heldElsewhere(identity.oldId ?? '');
    if (answer !== 'lock-lost') return;
    if (paid !== null && paid.booking !== null && kept !== undefined) {
      await ledger.keepReply(identity, { epoch: this.#epoch, turn: paid.turn }, kept);
    }
    throw lockLost(identity.jobId);
  }

  /** What the tools of a turn did in an earlier run, as JSON; undefined: they have not run. */
  storedToolResults(turn: number): string | undefined {
    return this.#stored.get(`t:${this.#epoch}:${turn}`);
  }

  /** Stores what the tools of a turn did, together with the next reservation, or before the run hands its job back. */
  addToolResults(turn: number, json: string): void {
    this.#toolResults = { turn, epoch: this.#epoch, json };
  }

  async #begin({ turn, payer, bound }: CallTerms): Promise<Accepted> {
    if (this.#mustEnd) await this.#endRun();
    const identity = this.#identify(payer);
    const reserved = payer.free ? null : (this.#knownBound(payer, bound) ?? (await this.#countBound(bound)));
    const worstNanoUsd = reserved === null ? 0 : worstCaseNanoUsd(payer.entry, reserved);
    this.#heldNanoUsd = worstNanoUsd;
    const answer = await this.#parts.ledger.begin(identity, {
      turn,
      worstNanoUsd,
      first: !this.#isLoaded,
      ...(this.#toolResults === undefined ? {} : { toolResults: this.#toolResults }),
    });
    this.#toolResults = undefined; // the same step stored them
    return this.#accept(answer, identity);
  }

  /** Null: it has to be counted. */
  #knownBound({ entry }: Payer, size: CallSize): CallBound | null {
    if (this.#reserved?.size === size) return this.#reserved.bound;
    if (mayBeTooLow(entry, size)) return null;
    this.#reserved = { size, bound: size };
    return size;
  }

  async #countBound(size: CallSize): Promise<CallBound> {
    const bound = await countBound(size, this.#parts.signal);
    if (this.#mustEnd) await this.#endRun(); // the count may have taken a while
    this.#reserved = { size, bound };
    return bound;
  }

  #accept(answer: BeginAnswer, identity: TaskIdentity): Accepted {
    if (answer.kind === 'done') return answer;
    if (answer.kind !== 'reserved' && answer.kind !== 'replay') throw toRefusalError(answer, identity);
    this.#isLoaded = true;
    this.#epoch = answer.epoch;
    if (answer.kind === 'replay') {
      this.#stored = answer.stored;
      this.#account.totals = answer.totals;
      this.#noteReplay();
    }
    return answer;
  }

  #noteReplay(): void {
    const replies = [...this.#stored.keys()].filter((field) => field.startsWith(`r:${this.#epoch}:`));
    this.#parts.identity.record?.noteReplayed(replies.length);
  }

  /** Whether the run may make no further call. */
  get #mustEnd(): boolean {
    return this.#parts.signal.aborted || this.#parts.isDraining();
  }

  /** @throws what the run ends with */
  async #endRun(): Promise<never> {
    const { ledger, identity, signal } = this.#parts;
    signal.throwIfAborted();
    if (this.#toolResults !== undefined) await ledger.keepToolResults(identity, this.#toolResults);
    throw new ShutdownError('this process goes away, or makes room');
  }

  #toReservation({ turn, payer, bound: size }: CallTerms, reservation: string): Reservation<Reply> {
    const { ledger, place } = this.#parts;
    return new ReservedCall(
      { ledger, place, identity: this.#identify(payer), account: this.#account },
      {
        place: { epoch: this.#epoch, turn },
        payer,
        bound: this.#reserved?.size === size ? this.#reserved.bound : size,
        reservation,
        heldNanoUsd: this.#heldNanoUsd,
      },
    );
  }

  #storedReply({ turn, payer }: CallTerms): PaidReply<Reply> | null {
    const json = this.#stored.get(`r:${this.#epoch}:${turn}`);
    if (json === undefined) return null;
    return { kind: 'reply', turn, reply: JSON.parse(json) as Reply, identity: this.#identify(payer), booking: null };
  }

  #identify(payer: Payer): TaskIdentity {
    return withPayer(this.#parts.identity, payer);
  }
}

type Accepted = Extract<BeginAnswer, { kind: 'reserved' | 'replay' | 'done' }>;

/** The job as its ledger books it when this payer pays. */
export function withPayer(identity: JobIdentity, { entry }: Payer): TaskIdentity {
  return { ...identity, model: entry.id, costVendor: entry.costVendor };
}
