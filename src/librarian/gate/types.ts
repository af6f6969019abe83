import type { ShardState } from './shard-states.ts';

export interface PermitRequest {
  /** Estimated tokens of the prompt. */
  tokens: number;
  /** Numbers of shards that this query must not use now: they have just failed it. */
  exclude?: readonly number[];
}

/** Leave to start one call, now. */
export interface Permit {
  kind: 'permit';
  /** Number of the shard whose key must be used. */
  shard: number;
  /** Name of the quota's day it was taken from. */
  day: string;
  /**
   * Ask directly before the call is sent. False once it would start too late to be in the minute it was given for: the
   * process stood still, or did other work first. Then `release` it and acquire another.
   */
  isFresh(): boolean;
  /** The call was served: `tokens` is what its prompt really had. Its place stays taken until its minute is over. */
  settle(tokens: number): Promise<void>;
  /** The call was never sent: minute, tokens and day get it back. */
  release(): Promise<void>;
}

export type WaitReason = 'minute' | 'tokens' | 'pace' | 'day' | 'cooling' | 'failing' | 'refused' | 'excluded';

export type PermitAnswer =
  | Permit
  /** No shard has room soon. `untilMs` is an instant of this machine's clock, the earliest that is worth asking again. */
  | { kind: 'wait'; untilMs: number; reason: WaitReason }
  /** No shard that may be used ever takes so many tokens; `limitTokens` is the most that one does. */
  | { kind: 'too-large'; limitTokens: number };

/** What a 429 says. */
export interface QuotaInfo {
  scope: 'minute' | 'day' | 'tokens';
  /** What the provider asks for. A used-up day waits for midnight Pacific, whatever this says. */
  retryAfterMs: number;
  /** The limit it names, if it does. */
  statedLimit: number | null;
  /** The permit's `day`: a call of yesterday's says nothing about today. */
  day?: string;
}

export interface ShardFailure {
  /** `refused`: the key or account; `unavailable`: 5xx, network, timeout; `malformed`: no usable reply. */
  kind: 'refused' | 'unavailable' | 'malformed';
  message: string;
}

/** Every limit of every shard, over all processes together. The one way to a call. */
export interface RateGate {
  /**
   * Waits at most about two windows for room on any shard, first come first served. Redis away: waits for it; no call
   * without Redis.
   * @throws the signal's reason; ShutdownError once the gate is closed
   */
  acquire(request: PermitRequest, options: { signal: AbortSignal }): Promise<PermitAnswer>;
  /** The provider answered 429. A limit it states that is lower than the configured one is used from now on. */
  report429(shard: number, info: QuotaInfo): Promise<void>;
  /** The shard is left alone for a while that doubles with each failure in a row; the others go on. */
  reportFailure(shard: number, failure: ShardFailure): Promise<void>;
  reportSuccess(shard: number): Promise<void>;
  status(): Promise<ShardState[]>;
  /** Whoever waits is sent away with ShutdownError. Calls under way keep their place in their minute. */
  close(): Promise<void>;
}
