import type { QuotaInfo } from '../../errors.ts';
import type { ShardProject } from './shard-project.ts';
import type { ShardState } from './shard-states.ts';

export interface PermitRequest {
  /** Estimated tokens of the prompt. */
  tokens: number;
  /** Numbers of the shards that this query may not use. Default none. */
  exclude?: readonly number[];
}

/** Leave to start one call now. */
export interface Permit {
  kind: 'permit';
  /** Number of the shard whose key the call must use. */
  shard: number;
  /** Name of the day whose quota the call is counted in. */
  day: string;
  /**
   * Ask directly before the call is sent. False when the call would start too late for the window that the permit was
   * granted in, because the process was stopped or did other work first. Then `release` the permit and acquire another.
   */
  isFresh(): boolean;
  /** Makes the call, once. Its window counts from the moment at which its request leaves this process. @throws what `call` throws */
  send<Result>(call: () => Promise<Result>): Promise<Result>;
  /**
   * The call was sent: replaces the estimate by `tokens`, its prompt's count. Its place stays taken until its window is
   * over.
   */
  settle(tokens: number): Promise<void>;
  /** The call was never sent: gives it back to the window, the tokens and the day. */
  release(): Promise<void>;
}

/** `other-key`: the shard has another librarian's key now. */
export type WaitReason =
  | 'minute'
  | 'tokens'
  | 'pace'
  | 'day'
  | 'cooling'
  | 'failing'
  | 'refused'
  | 'excluded'
  | 'other-key';

export type PermitAnswer =
  | Permit
  /**
   * No shard has room soon. `untilMs`: the first instant of this machine's clock at which a new request can succeed.
   */
  | { kind: 'wait'; untilMs: number; reason: WaitReason }
  /**
   * No shard that the query may use takes so many tokens in a window. `limitTokens`: the most that one of them takes.
   */
  | { kind: 'too-large'; limitTokens: number };

/** A 429 as the gate records it. */
export interface QuotaReport extends QuotaInfo {
  /** The permit's `day`. A call of an earlier day does not use up today's quota. Absent: today. */
  day?: string;
}

/** Why a project has no room for a call, and for how long. */
export interface NoRoom {
  reason: WaitReason | 'too-large';
  delayMs: number;
  /** Calls and tokens a window, by the limits in force. */
  rpm: number;
  tpm: number;
}

/** The quota's view of one project; `reason` is empty and `delayMs` 0 where a call may start. */
export interface ProjectView extends Omit<NoRoom, 'reason'> {
  project: ShardProject;
  reason: NoRoom['reason'] | '';
  /** Its public quota key held no number and was repaired. */
  repaired: boolean;
}

/** What the quota answers to one call. */
export type Taking = { kind: 'granted'; shard: number; day: string; left: number } | Refusal;

export type Refusal =
  | ({ kind: 'closed' } & NoRoom)
  /** Redis has lost the calls of the last window. */
  | { kind: 'lost' };

export interface ShardFailure {
  /** `refused`: the key or account; `unavailable`: 5xx, network, timeout; `malformed`: a reply that cannot be read. */
  kind: 'refused' | 'unavailable' | 'malformed';
  message: string;
}

/** The one way to a call of a shard. Keeps every limit of every shard, over all processes together. */
export interface RateGate {
  /**
   * Waits for room on any shard, at most about two windows, first come first served. While Redis is away it waits and
   * grants no permit.
   * @throws the signal's reason; ShutdownError once the gate is closed
   */
  acquire(request: PermitRequest, options: { signal: AbortSignal }): Promise<PermitAnswer>;
  /** The provider answered 429. A stated limit that is lower than the configured one applies from now on. */
  report429(shard: number, report: QuotaReport): Promise<void>;
  /** Closes the shard for a while that doubles with each failure in a row. Other shards stay open. */
  reportFailure(shard: number, failure: ShardFailure): Promise<void>;
  /** Opens a shard that failures closed. */
  reportSuccess(shard: number): Promise<void>;
  status(): Promise<ShardState[]>;
  /** Rejects every waiting request with ShutdownError. Calls that were sent keep their place in their window. */
  close(): Promise<void>;
}
