import type { Db } from '../redis/db.ts';
import type { LimitKind } from './paced-model.ts';

/** What `pace.lua` takes: totals as they are now, and what happened since the last exchange. */
export interface PaceReport {
  process: string;
  /** The same for a report that is sent again. */
  nonce: string;
  /** A process that sends nothing for so long is forgotten, ms. */
  lease: number;
  /** The first calls that wait, begun ones first: 1 begun or 2 fresh, bound of the prompt's tokens, most output tokens. */
  asks: [1 | 2, number, number][];
  /** How many calls wait, and how long the first of them has waited, ms: begun, fresh. */
  waiting: [number, number];
  ages: [number, number];
  /** Calls under way, with what they have reserved: calls, input tokens, output tokens. */
  flying: [number, number, number];
  /** Most calls under way at once. */
  peak: number;
  /** Jobs that have begun, and make calls. */
  open: number;
  ended: EndedCalls;
  /** Runs of tasks that are over: how many, and the calls that they made. */
  left: [number, number];
  /** How long jobs were busy between two calls: how many, and the sum in ms. */
  pauses: [number, number];
  limits: Partial<Record<LimitKind, SeenLimit>>;
  /** Whether an answer that was no refusal stated limits. */
  opens: boolean;
  /** Calls that the provider refused by a limit, and the longest wait that it named, ms. */
  refused: [number, number];
  /** What the model's row allows, per minute, and how many calls at once. Absent: no more than the provider's answers state. */
  own?: OwnLimits;
  /** Name of the worker, for people who ask where a limit was learned. */
  who?: string;
  /** The process goes away. */
  leaves: boolean;
}

export type OwnLimits = Partial<Record<LimitKind | 'concurrent', number>>;

/** Limit a minute, what remained, the age of the answer in ms, and what its own call had taken. */
export type SeenLimit = [number, number, number, number];

/** Sums over the calls that ended. `count` has only those with a reply. */
export interface EndedCalls {
  count: number;
  /** Calls that were never sent. */
  unsent: number;
  /** Input and output tokens of all. */
  reserved: [number, number];
  used: [number, number];
  /** Squares of the difference between the two, of calls with a reply. */
  error: [number, number];
  /** Input tokens that counted into the limit, output tokens, and ms, of calls with a reply. */
  counted: number;
  replied: number;
  ms: number;
  /** By 1 begun and 2 fresh: bound of the prompts, counted tokens, calls. */
  shares: Record<'1' | '2', [number, number, number]>;
}

/** What `pace.lua` answers. All times in ms. */
export interface PaceAnswer {
  /** What each call that may begin has reserved, in the order of the asks: input tokens, output tokens. */
  granted: [number, number][];
  /** When the first call that may not begin is asked about again. */
  wait: number;
  /** How long the provider wants no call. */
  hold: number;
  /** So long the process may begin calls without asking, at most `most` at once: the provider states no limits. */
  free: number;
  most: number;
  /** Whether the fleet is halted. */
  halted: boolean;
}

export type PaceExchange = (report: PaceReport) => Promise<PaceAnswer>;

/**
 * @param name `<key hash>:<model>`
 * @param now the clock of a test, ms; default: Redis' own
 */
export function createPaceExchange({ keys, scripts }: Db, name: string, now?: () => number): PaceExchange {
  const named = { state: keys.pace(name), paced: keys.paced, halt: keys.haltReason, counters: keys.counters };
  return async (report) => {
    const text = JSON.stringify({ ...report, name, ...(now === undefined ? {} : { now: now() }) });
    return toPaceAnswer(await scripts.pace(named, [text]));
  };
}

/** Lua writes an empty list as `{}`. */
function toPaceAnswer(json: string): PaceAnswer {
  const answer = JSON.parse(json) as Omit<PaceAnswer, 'halted'> & { halted: number };
  return { ...answer, granted: Array.isArray(answer.granted) ? answer.granted : [], halted: answer.halted === 1 };
}
