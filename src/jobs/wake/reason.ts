import type { BudgetState } from '../../ledger/budget-types.ts';
import { describeBudget } from '../../ledger/budget.ts';

/** What ends the wait of a delayed job before its time. */
export type WakeReason =
  /** Money that calls under way have reserved: the budget of the day, or of one client, batch, mission or task. */
  | { kind: 'money'; scope: string; name: string }
  /** A model that cools down, or whose provider is down. */
  | { kind: 'model'; model: string }
  /** A shard with room for any question. */
  | { kind: 'shards' }
  /** An answer of other workers. `helped.ts` wakes these jobs. */
  | { kind: 'peers' };

/** A delayed job as it is noted. */
export interface NotedWait {
  queue: string;
  jobId: string;
  /** The worst case of its next call, nano-dollars; 0 where the job waits for no money. */
  worstNanoUsd: number;
}

/** `money:batch:nightly`, `model:claude-haiku-5-5`, `shards`, `peers`: part of a key. */
export function toReasonName(reason: WakeReason): string {
  if (reason.kind === 'money') return `money:${reason.scope}:${reason.name}`;
  return reason.kind === 'model' ? `model:${reason.model}` : reason.kind;
}

/** @returns null for a reason of another version */
export function parseReasonName(text: string): WakeReason | null {
  const [kind, ...rest] = text.split(':');
  if (kind === 'shards' || kind === 'peers') return { kind };
  if (kind === 'model') return { kind, model: rest.join(':') };
  if (kind !== 'money') return null;
  const [scope = '', ...name] = rest;
  return { kind, scope, name: name.join(':') };
}

export function toMember({ queue, jobId, worstNanoUsd }: NotedWait): string {
  return `${queue}|${worstNanoUsd}|${jobId}`;
}

export function parseMember(member: string): NotedWait {
  const [queue = '', worst = '', ...jobId] = member.split('|');
  return { queue, worstNanoUsd: Number(worst) || 0, jobId: jobId.join('|') };
}

/** For people, after "12 jobs for". @param budget that the jobs wait for, if it is known */
export function describeReason(reason: WakeReason, budget?: BudgetState): string {
  if (reason.kind === 'shards') return 'a shard with room';
  if (reason.kind === 'peers') return 'help of other workers';
  if (reason.kind === 'model') return `${reason.model} to be free again`;
  const whose = reason.scope === 'day' ? 'of the day' : `of ${reason.scope} ${reason.name}`;
  const state = budget === undefined ? '' : `: ${describeBudget(budget)}`;
  return `money that calls under way hold (budget ${whose}${state})`;
}

/** How many delayed jobs wait for one thing. */
export interface AwaitedReason {
  reason: WakeReason;
  count: number;
  /** Of a wait for money: that budget. Missing: it has no limit, or cannot be read. */
  budget?: BudgetState;
}
