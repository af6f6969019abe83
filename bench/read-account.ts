import type { TokenLimit } from '../simulator/anthropic/limits/token-limits.ts';
import type { RequestRecord } from '../simulator/anthropic/request-log.ts';

/** The limits of one model, a minute. */
export type AccountLimits = Required<Pick<TokenLimit, 'requests' | 'inputTokens' | 'outputTokens'>>;

/** What the provider counted of an account's calls. */
export interface AccountReading {
  /** Since the first call, ms. */
  elapsedMs: number;
  /** Calls that the model answered. */
  served: number;
  /** Calls above the limits (429). */
  refused: number;
  tasks: {
    /** Tasks with a call that was served. */
    begun: number;
    /** Tasks whose answer was served. */
    done: number;
    /** Begun and not done. */
    open: number;
    /** Done ones that the binding limit had room for in this time, at what a task of this run takes. */
    allowed: number;
  };
  /** The limit of which most was used. */
  binding: keyof AccountLimits;
  /** Used of it, as a share of what it gave in this time. What a full bucket holds at the start comes on top, so it can pass 1. */
  share: number;
}

const TASK_CALLS = 5;

/**
 * Reads an account's calls as the provider logged them. Cache reads do not count as input, cache writes do.
 * @param limits a minute
 * @param now ms since 1970
 */
export function readAccount(records: readonly RequestRecord[], limits: AccountLimits, now: number): AccountReading {
  const served = records.filter((record) => record.served);
  const elapsedMs = Math.max(1, now - (records[0]?.startedAt ?? now));
  const minutes = elapsedMs / 60_000;
  const used = toUsed(served);
  const kinds = Object.keys(limits) as (keyof AccountLimits)[];
  const shares = kinds.map((kind) => ({ kind, share: used[kind] / (limits[kind] * minutes) }));
  const { kind: binding, share } = shares.toSorted((a, b) => b.share - a.share)[0] ?? { kind: 'requests', share: 0 };
  const begun = new Set(served.map(({ user }) => user));
  const done = new Set(served.filter(({ stopReason }) => stopReason === 'end_turn').map(({ user }) => user));
  const perTask = (used[binding] / Math.max(1, served.length)) * TASK_CALLS;
  const allowed = perTask === 0 ? 0 : (limits[binding] * minutes) / perTask;
  return {
    elapsedMs,
    served: served.length,
    refused: records.filter(({ status }) => status === 429).length,
    tasks: { begun: begun.size, done: done.size, open: begun.size - done.size, allowed },
    binding,
    share,
  };
}

function toUsed(served: readonly RequestRecord[]): Record<keyof AccountLimits, number> {
  const used = { requests: served.length, inputTokens: 0, outputTokens: 0 };
  for (const { usage } of served) {
    used.inputTokens += (usage?.input ?? 0) + (usage?.cache_write ?? 0);
    used.outputTokens += usage?.output ?? 0;
  }
  return used;
}
