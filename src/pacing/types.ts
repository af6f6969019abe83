import type { Usage } from '../../queues/usage.ts';
import type { Model, ModelLimits } from '../models/model.ts';

/** What the fleet's own row of a model says of its limits. */
export interface PacedRow {
  /** A minute, and `concurrent` calls at once, over all processes. Absent: only the provider's answers limit it. */
  limits?: { rpm?: number; itpm?: number; otpm?: number; concurrent?: number };
  /** Whether what is read from the provider's cache counts into the limit of input tokens. Default false. */
  countsCacheReads?: boolean;
}

/** A call that waits for its turn. */
export interface PaceAsk {
  model: string;
  /** An upper bound of the prompt's tokens: the pacer learns which share of it counts. */
  inputTokens: number;
  /** Most tokens of the reply; the pacer learns how many a reply has. */
  outputTokens: number;
  /** Whether the job has made a call before. Such jobs come first. */
  begun: boolean;
}

export interface PaceWait {
  signal: AbortSignal;
  /** True: the wait ends with a ShutdownError. It is asked about once a second. */
  isDraining(): boolean;
  /** Called once if the call must wait: finds out whether it is needed at all. A failure ends the wait with the same error. */
  isNeeded?: () => Promise<boolean>;
}

/** Leave to make one call now. Exactly one of `ended`, `refused`, `failed` and `giveBack` follows. */
export interface Permit {
  /** Whether the provider bills nothing for the call: the key that it has been given is of a free plan. Absent: it bills it. */
  readonly free?: boolean;
  /** The limits that the headers of the answer state. */
  onLimits(limits: ModelLimits): void;
  /** The reply arrived. */
  ended(usage: Usage): void;
  /**
   * The provider refused the call by a limit: no process begins another one for a while.
   * @param retryAfterMs the wait that it named; below 1,000: none that can be used
   */
  refused(retryAfterMs: number): void;
  /** The call ended in another error. @param isFree whether the provider counts no tokens for it */
  failed(isFree: boolean): void;
  /** The call was never sent. */
  giveBack(): void;
}

export interface RunOptions {
  /** Whether the job counts as begun between its calls, as tasks do; else `leave` is not needed. */
  isCounted: boolean;
  /** Writes a line into the job's log. */
  note?: ((line: string) => Promise<unknown>) | undefined;
}

/** The calls of one run of one job. */
export interface RunPace {
  /** Notes a wait in the job's log. */
  note(line: string): Promise<void>;
  /** A permit that costs no round trip; null: there is none, `admit` waits for one. */
  admitNow(ask: PaceAsk): Permit | null;
  /**
   * Waits until the call may begin.
   * @returns null: it is not needed
   * @throws ModelCoolingError when the wait takes longer than a minute; ShutdownError; the signal's reason
   */
  admit(ask: PaceAsk, wait: PaceWait): Promise<Permit | null>;
  /** The same model; it tells the pacer the limits that its answers state. */
  watch(model: Model): Model;
  /** The run is over: its job no longer counts as begun. */
  leave(): void;
}

/** Keeps the limits of every key and model over all processes of the swarm. */
export interface Pacer {
  enter(options: RunOptions): RunPace;
  /** Ends every wait with a ShutdownError, and reports what ended. */
  close(): Promise<void>;
}
