import { FleetError } from '../../errors.ts';
import { lockLost, toRefusalError } from '../../ledger/refusals.ts';
import { costNanoUsd, worstCaseNanoUsd, type CallBound } from '../../pricing/cost.ts';
import type { Booking, JobTotals, TaskIdentity, TurnLedger } from '../../ledger/types.ts';
import { addUsage, NO_USAGE } from '../../pricing/tokens.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import type { Usage } from '../../../queues/usage.ts';

/** Whose account a call goes to: a model, and whether the provider bills it. */
export interface Payer {
  entry: CatalogEntry;
  /** A free tier is booked at nothing; its list price is kept apart. */
  free: boolean;
}

/**
 * The books of one query: a query is one turn, and every call for it is reserved before and settled after. Its paid
 * reply is stored, so that a query whose librarian died is not paid for again.
 */
export interface QueryBooks {
  totals(): JobTotals;
  /** What an earlier run of this query left: its answer, or a reply that is paid for. @throws like `reserve` */
  open(): Promise<{ kind: 'new' } | { kind: 'done'; finding: string } | { kind: 'reply'; json: string }>;
  /** @throws HaltError, BudgetReachedError, BudgetHeldError, CancelledError, LockLostError, ModelCoolingError */
  reserve(payer: Payer, bound: CallBound): Promise<string>;
  /** The call was not sent, or ended in an error: what it cost by the error's own word is booked. */
  close(payer: Payer, reservation: string, error?: unknown): Promise<void>;
  toBooking(payer: Payer, reservation: string, usage: Usage): Booking;
  /** Books a served call whose reply is no answer, and keeps the reply for a person to read. */
  settle(payer: Payer, booking: Booking, reply: object, log: string): Promise<void>;
  /** Leaves a paid reply to whoever has the query now. */
  keep(reply: object): Promise<void>;
  /** The query as the ledger knows it when this payer pays. */
  identity(payer: Payer): TaskIdentity;
}

/** The one turn of a query. */
const TURN = 0;

export function openQueryBooks(ledger: TurnLedger, identity: TaskIdentity): QueryBooks {
  let epoch = String(identity.attempt);
  let totals: JobTotals = { nanoUsd: 0, usage: { ...NO_USAGE }, calls: 0 };

  const forPayer = ({ entry }: Payer): TaskIdentity => ({
    ...identity,
    model: entry.id,
    costVendor: entry.costVendor,
  });

  function toBooking({ entry, free }: Payer, reservation: string, usage: Usage): Booking {
    const listNanoUsd = costNanoUsd(entry, usage);
    const nanoUsd = free ? 0 : listNanoUsd;
    totals = { nanoUsd: totals.nanoUsd + nanoUsd, usage: addUsage(totals.usage, usage), calls: totals.calls + 1 };
    return { reservation, nanoUsd, usage, ...(free ? { listNanoUsd } : {}) };
  }

  return {
    totals: () => totals,
    async open() {
      const answer = await ledger.begin(identity, { turn: TURN, worstNanoUsd: 0, first: true });
      if (answer.kind === 'done') return { kind: 'done', finding: answer.finding };
      if (answer.kind === 'reserved') {
        ({ epoch } = answer);
        await ledger.closeReservation(identity, answer.reservation, 'release');
        return { kind: 'new' };
      }
      if (answer.kind !== 'replay') throw toRefusalError(answer, identity);
      ({ epoch, totals } = answer);
      const json = answer.stored.get(`r:${epoch}:${TURN}`);
      return json === undefined ? { kind: 'new' } : { kind: 'reply', json };
    },
    async reserve(payer, bound) {
      const worstNanoUsd = payer.free ? 0 : worstCaseNanoUsd(payer.entry, bound);
      const answer = await ledger.begin(forPayer(payer), { turn: TURN, worstNanoUsd, first: false });
      if (answer.kind === 'replay') throw new Error('begin-turn: replay was not expected here');
      if (answer.kind !== 'reserved') throw toRefusalError(answer, forPayer(payer));
      ({ epoch } = answer);
      return answer.reservation;
    },
    async close(payer, reservation, error) {
      const billed =
        error === undefined ? 'no' : ((error instanceof FleetError ? error.billed : undefined) ?? 'unknown');
      const who = forPayer(payer);
      if (typeof billed === 'object') {
        const booking = toBooking(payer, reservation, billed);
        await ledger.settle(who, { epoch, turn: -1 }, booking, null, totals, { log: '', progress: null });
        return;
      }
      // What a free call costs is known, whether it was served or not.
      await ledger.closeReservation(who, reservation, billed === 'no' || payer.free ? 'release' : 'uncertain');
    },
    toBooking,
    async settle(payer, booking, reply, log) {
      const note = { log, progress: null };
      const kept = await ledger.settle(forPayer(payer), { epoch, turn: TURN }, booking, reply, totals, note);
      if (kept === 'lock-lost') throw lockLost(identity.jobId);
    },
    keep: (reply) => ledger.keepReply(identity, { epoch, turn: TURN }, reply),
    identity: forPayer,
  };
}
