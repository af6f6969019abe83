import type { CallTimeoutError } from '../errors.ts';
import type { Finding } from '../findings/finding.ts';
import type { Origin } from '../../queues/origin.ts';
import type { Owner } from '../../queues/owner.ts';
import type { Usage } from '../../queues/usage.ts';
import type { CostVendor } from '../redis/keys.ts';
import type { KeysOf } from '../redis/scripts.ts';
import type { CallOutcome } from '../run-record/call-outcome.ts';
import type { RunRecord } from '../run-record/run-record.ts';

/** Identifies one run of one job for the ledger. */
export interface TaskIdentity extends Owner {
  jobId: string;
  /** BullMQ's lock token. Empty: single mode, which has no lock. */
  token: string;
  /** Failures before this run: BullMQ's `attemptsMade`. */
  attempt: number;
  /** When its job was added, ms since 1970 by Redis' clock. Absent: no queue holds it. */
  addedAt?: number | undefined;
  /** Hash of the fields that a person may edit. A task that was edited replays nothing. */
  digest: string;
  findingId: string;
  session: string;
  batch: string | null;
  missionId: string | null;
  /** Of a task that a rule started: its rules pay for it. */
  origin?: Origin;
  /** Budget of this task alone, nano-dollars; of an assist task, that of its asker. Null: none. */
  budgetNanoUsd: number | null;
  /** Of an assist task: the job and the question that it pays for. Its calls count against the asker's own budget. */
  assist?: { asker: string; call: string };
  model: string;
  costVendor: CostVendor;
  /** What chose the model: a route of `models.json`, for people. Absent or null: none, the default model or the task's own. */
  route?: string | null;
  /** Id of the other program's task that this one is. Absent: none. */
  oldId?: string;
  /** What the run notes for people: each script of the ledger writes what is new. Absent: nothing is recorded. */
  record?: RunRecord | undefined;
}

/** One run of one job, before it is known which model is called. */
export type JobIdentity = Omit<TaskIdentity, 'model' | 'costVendor' | 'route'>;

/** Position of a call in its job, from 0, or a name that is no number: `plan`. Each turn of a job is paid once. */
export type Turn = number | string;

/** The outcomes of the tools that the reply of a turn asked for, as JSON. */
export interface ToolResults {
  turn: number;
  epoch: string;
  json: string;
}

/**
 * The answer of a script that ends a job. `already`: an earlier run of the job has stored its finding. `held`: another program's worker
 * has the task, or has done it.
 */
export type RecordAnswer = 'recorded' | 'already' | 'taken' | 'lock-lost' | 'held';

/** The cost of a job so far, of all its runs. */
export interface JobTotals {
  nanoUsd: number;
  usage: Usage;
  calls: number;
}

export type BeginAnswer =
  | { kind: 'reserved'; epoch: string; reservation: string }
  | { kind: 'replay'; epoch: string; totals: JobTotals; stored: Map<string, string> }
  | { kind: 'done'; finding: string }
  | { kind: 'taken' | 'lock-lost' | 'cancelled' }
  | { kind: 'halted'; reason: string }
  | {
      kind: 'cooling';
      delayMs: number;
      /** The model waits because uncertain cost fills the budget of the day, not for its provider. */
      isForMoney: boolean;
    }
  | {
      kind: 'budget';
      scope: 'day' | 'task' | 'client' | 'batch' | 'mission' | 'rule';
      name: string;
      limit: number;
      /** Settled, reserved and uncertain together, nano-dollars. */
      spent: number;
      /** The worst case of the call that was refused, nano-dollars. */
      worst: number;
      /** The call would fit without the reservations of calls under way, most of which are released when these end. */
      held: boolean;
    };

/** The booking of one served call. */
export interface Booking {
  reservation: string;
  nanoUsd: number;
  usage: Usage;
  /** List price of a free call, nano-dollars. Undefined: the call is not free. */
  listNanoUsd?: number;
  /** The stream of the reply broke: this much was reported, and what is left of the reservation stays uncertain. */
  isBroken?: true;
  /** How long the call took. Absent: it is not known. */
  ms?: number;
  /** Of a broken stream: the most that the whole call can cost, nano-dollars. Undefined: its reservation. */
  mostNanoUsd?: number;
}

/** A call that failed and is not booked, for the tallies. */
export interface FailedCall {
  model: string;
  costVendor: CostVendor;
  outcome: CallOutcome;
  ms: number;
}

/** What an outside worker states that its work took. Nobody measured it; 0: it states nothing. */
interface UnmeteredUse {
  input: number;
  output: number;
  nano: number;
}

/** What a turn writes to its job, for people: a line in the log, and the progress that pages show. */
export interface TurnNote {
  log: string;
  progress: { turn: number; of: number; costUsd: number } | null;
}

interface BeginRequest {
  turn: Turn;
  /** Worst case of the call, nano-dollars: the reservation. */
  worstNanoUsd: number;
  /** The first request of a run: if something is stored, the answer is `replay`, and nothing is reserved. */
  first: boolean;
  /** No call follows, so that it is not the probe of a stopped model. */
  noCall?: true;
  /** Results of the turn before, stored in the same step. */
  toolResults?: ToolResults;
}

/**
 * The response ledger: reserves before a call; then stores the reply, books it and settles in one script. A worker may die
 * between any two steps. Stored replies are replayed; a call that was only reserved becomes *uncertain*.
 */
export interface TurnLedger {
  begin(task: TaskIdentity, request: BeginRequest): Promise<BeginAnswer>;
  /** Stores and books a reply. @param reply null: books a billed reply that cannot be used, or is not whole, and stores nothing */
  settle(
    task: TaskIdentity,
    turn: { epoch: string; turn: Turn },
    booking: Booking,
    reply: object | null,
    totals: JobTotals,
    note: TurnNote,
  ): Promise<'stored' | 'booked' | 'lock-lost'>;
  /**
   * Books the last call and records the finding, once.
   * @param booking null: the last reply was replayed
   * @param unmetered of an outside worker: counted apart, as no task and no cost of the fleet's models
   */
  finish(
    task: TaskIdentity,
    finding: Finding,
    booking: Booking | null,
    note: TurnNote,
    unmetered?: UnmeteredUse,
  ): Promise<RecordAnswer>;
  /** Stores a paid reply for the process that has the job now. */
  keepReply(task: JobIdentity, turn: { epoch: string; turn: Turn }, reply: object): Promise<void>;
  /** Stores tool results without a reservation for the next call. */
  keepToolResults(task: JobIdentity, results: ToolResults): Promise<void>;
  /**
   * `release`: the call was not sent or not billed. `uncertain`: its cost is unknown; its worst case stays booked.
   * @param call absent: none was made
   */
  closeReservation(
    task: JobIdentity,
    reservation: string,
    mode: 'release' | 'uncertain',
    call?: FailedCall,
  ): Promise<void>;
  /** Lowers what is held for a call that is out, nano-dollars; a higher amount, or a call that has ended, changes nothing. */
  noteInput(reservation: string, mostNanoUsd: number): Promise<void>;
  /**
   * Records that a call reached a time limit.
   * @returns whether the same call had reached the same limit before; silence that another call shares, or that no answer of the
   *   model to a later call has interrupted, is an outage, and no repetition
   */
  noteTimeout(task: TaskIdentity, turn: { epoch: string; turn: Turn }, error: CallTimeoutError): Promise<boolean>;
  /** Returns the keys and fields that `lib/booking.lua` and `lib/lock.lua` need, for other scripts that end a job. */
  bookingParts(task: TaskIdentity, booking: Booking | null): { keys: KeysOf<'settle-turn'>; fields: object };
}

/** Where the run of a job is. A worker that dies there, time and again, may be killed by what the job does there. */
export interface RunPlace {
  /** @param name as it follows `its worker died 3 times`: `in tool run of turn 2` */
  enter(name: string): Promise<void>;
  /** The run waits, or does nothing that could harm its process. */
  leave(): Promise<void>;
  /** The run is over. */
  end(): void;
}
