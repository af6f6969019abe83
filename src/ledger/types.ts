import type { Finding } from '../findings/finding.ts';
import type { Usage } from '../../queues/usage.ts';
import type { CostVendor } from '../redis/keys.ts';
import type { KeysOf } from '../redis/scripts.ts';

/** What identifies one run of one task to the ledger. */
export interface TaskIdentity {
  jobId: string;
  /** BullMQ's lock token; empty in single mode, where there is no lock to lose. */
  token: string;
  /** Failures before this run: BullMQ's `attemptsMade`. */
  attempt: number;
  /** Hash of the task as a person would edit it: a changed task starts afresh. */
  digest: string;
  findingId: string;
  session: string;
  batch: string | null;
  missionId: string | null;
  /** Own budget of the task in nano-dollars; null: none. */
  budgetNanoUsd: number | null;
  model: string;
  costVendor: CostVendor;
}

/** One run of one job, before it is known which model is called. */
export type JobIdentity = Omit<TaskIdentity, 'model' | 'costVendor'>;

/** Position of a call in its job, or its name; a name is not a number: `plan`. The same turn of a job is paid once. */
export type Turn = number | string;

/** What the tools did that the reply of a turn asked for, as JSON. */
export interface ToolResults {
  turn: number;
  epoch: string;
  json: string;
}

/** What the scripts answer that end a job. `already`: an earlier run of the job stored its finding. */
export type RecordAnswer = 'recorded' | 'already' | 'taken' | 'lock-lost';

/** What the job has cost so far, over all its runs. */
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
  | { kind: 'cooling'; delayMs: number }
  | {
      kind: 'budget';
      scope: 'day' | 'task' | 'batch' | 'mission';
      name: string;
      limit: number;
      /** Settled, reserved and uncertain together. */
      spent: number;
      /** Only what is reserved for calls under way stands in the way: most of it comes back when they end. */
      held: boolean;
    };

/** One served call, as it is booked. */
export interface Booking {
  reservation: string;
  nanoUsd: number;
  usage: Usage;
  /** What the call would have cost where it is free, nano-dollars. */
  listNanoUsd?: number;
}

/** What a turn leaves on its job, for people: a line in the log, and the progress that pages show. */
export interface TurnNote {
  log: string;
  progress: { turn: number; of: number; costUsd: number } | null;
}

interface BeginRequest {
  turn: Turn;
  worstNanoUsd: number;
  /** First question of this run: answers with what is stored instead of reserving. */
  first: boolean;
  /** Stored in the same step. */
  toolResults?: ToolResults;
}

/**
 * The response ledger: reserve before a call, then store the reply, book it and settle in one script. A worker may die
 * between any two calls here; what was stored is replayed, what was only reserved becomes *uncertain*.
 */
export interface TurnLedger {
  begin(task: TaskIdentity, request: BeginRequest): Promise<BeginAnswer>;
  /** @param reply null books without storing: a billed reply that cannot be used */
  settle(
    task: TaskIdentity,
    turn: { epoch: string; turn: Turn },
    booking: Booking,
    reply: object | null,
    totals: JobTotals,
    note: TurnNote,
  ): Promise<'stored' | 'booked' | 'lock-lost'>;
  /** Books the last call and records the finding, once. @param booking null: the last reply was replayed */
  finish(task: TaskIdentity, finding: Finding, booking: Booking | null, note: TurnNote): Promise<RecordAnswer>;
  /** Keeps a paid reply for the process that has the job now. */
  keepReply(task: JobIdentity, turn: { epoch: string; turn: Turn }, reply: object): Promise<void>;
  /** Stores tool results without asking for another call. */
  keepToolResults(task: JobIdentity, results: ToolResults): Promise<void>;
  /** `release`: not sent or not billed. `uncertain`: it is not known what it cost; the worst case stays booked. */
  closeReservation(task: JobIdentity, reservation: string, mode: 'release' | 'uncertain'): Promise<void>;
  /** For scripts that end a job with a record of their own: the keys and fields that `lib/booking.lua` and `lib/lock.lua` need. */
  bookingParts(task: TaskIdentity, booking: Booking | null): { keys: KeysOf<'settle-turn'>; fields: object };
}
