import { setTimeout as sleep } from 'node:timers/promises';
import { readHalt } from '../../halt/halt.ts';
import { readBlocker } from '../../jobs/state/blocked.ts';
import type { ToolCall } from '../tool/types.ts';
import { toQueueNames } from './queue-names.ts';
import type { WorkTarget, WorkView } from './types.ts';
import { hasEnded, viewWork } from './view-work.ts';

const FIRST_POLL_MS = 100;
const POLL_MS = 1_000;
/** A halt's words may be a provider's or another program's: status quotes them as material. */
export const HALTED = 'the fleet is halted; status shows why, and the ways out';

/** `all`: every job has ended. `any`: one more has. */
export type WaitEnd = 'all' | 'any';

export interface Waited {
  view: WorkView;
  /** Why the rest makes no progress; null: it does. */
  blocked: string | null;
}

/**
 * Waits until work has ended, a person must act first, or the time is over. It holds nothing: the same call continues later, from
 * any process.
 */
export async function waitForWork(
  call: ToolCall,
  target: WorkTarget,
  until: WaitEnd,
  timeoutMs: number,
): Promise<Waited> {
  const endsAt = performance.now() + timeoutMs;
  let first: number | null = null;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(POLL_MS, pollMs * 1.3)) {
    const view = await viewWork(call, target);
    const ended = view.done + view.failed + view.cancelled + view.missing;
    if (first === null || ended > first) await call.report(ended, view.total, `${ended} of ${view.total} ended`);
    first ??= ended;
    if (hasEnded(view) || (until === 'any' && ended > first)) return { view, blocked: null };
    const stop = await findStop(call, view);
    const left = endsAt - performance.now();
    if (stop !== null || left <= 0 || call.signal.aborted)
      return { view, blocked: stop ?? (await findBlocker(call, view)) };
    await sleep(Math.min(pollMs, left), undefined, { signal: call.signal }).catch(() => undefined);
  }
}

/** What only a person ends: there is no use in waiting. */
async function findStop({ fleet }: ToolCall, view: WorkView): Promise<string | null> {
  if ((await readHalt(fleet.inner.db)) !== null) return HALTED;
  if (view.parked > 0 && view.running + view.open === 0)
    return 'the rest is parked: a budget is reached, or a person parked it; status names the command';
  const missions = view.items?.filter(({ state }) => state === 'open' || state === 'running') ?? [];
  if (missions.length !== 1) return null;
  return describeAsking(fleet, missions[0]?.id ?? '');
}

/** A mission that waits for a person's choice. */
async function describeAsking({ inner: { db } }: ToolCall['fleet'], id: string): Promise<string | null> {
  const state = await db.redis.hget(db.keys.mission(id), 'state');
  if (state === 'planned') return `mission ${id} waits for approval of its plan: mission with action show`;
  if (state !== 'asks' && state !== 'parked') return null;
  return `mission ${id} ${state === 'asks' ? 'asks' : 'is parked'}: mission with action show says why`;
}

async function findBlocker({ fleet }: ToolCall, { items, open, isLoading }: WorkView): Promise<string | null> {
  if (isLoading)
    return 'its tasks are being added; if the call that adds them died, call delegate again with the same batch';
  if (open === 0) return null;
  const { db } = fleet.inner;
  const id = items?.find(({ state }) => state === 'open')?.id ?? ''; // of a batch that is only counted: any
  const queue = (await toQueueNames(db, [id])).get(id) ?? 'tasks';
  const blocker = await readBlocker(db, { queue, id, state: 'waiting' });
  return blocker?.kind === 'no-worker' ? `no ${blocker.process} process is up: a person starts it with fleet up` : null;
}
