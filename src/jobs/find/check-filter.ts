import { toLikeness } from '../../config/source/likeness.ts';
import { TASK_FAILURE_REASONS, UsageError } from '../../errors.ts';
import { toNanoUsd } from '../../pricing/money.ts';
import { JOB_STATES, type JobFilter } from './types.ts';

/** The words of failures besides those of a task that fails itself. */
const OTHER_FAILURES = ['cancelled', 'quarantined', 'invalid-job', 'provider-unavailable', 'error', 'other'];
/** What a job waits for, and why it is parked. */
const WAITS = [
  'money',
  'model',
  'shards',
  'peers',
  'outside',
  'children',
  'wait',
  'budget',
  'asks',
  'planned',
  'parked',
];
const REASONS: readonly string[] = [...TASK_FAILURE_REASONS, ...OTHER_FAILURES, ...WAITS];

/** Words that mean a state of the list elsewhere: BullMQ's, and habits. */
const MEANT: Record<string, string> = {
  active: 'running',
  completed: 'done',
  complete: 'done',
  succeeded: 'done',
  finished: 'done',
  queued: 'waiting',
  pending: 'waiting',
  open: 'waiting,running,delayed,parked',
  canceled: 'cancelled',
  error: 'failed',
};

/** @throws UsageError for the first field that breaks its rule; it names those that are most like the value */
export function assertJobFilter(filter: JobFilter): void {
  const { state, reason, since, costAboveUsd } = filter;
  const states: readonly unknown[] = state === undefined ? [] : Array.isArray(state) ? state : [state];
  for (const name of states) {
    if (!JOB_STATES.some((known) => known === name)) {
      const like = nearest(String(name), [...JOB_STATES, ...Object.keys(MEANT)]);
      const meant = like === null ? null : (MEANT[like] ?? like);
      throw new UsageError(`state: expected ${JOB_STATES.join(', ')}, got ${show(name)}${meantBy(meant)}`);
    }
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    const meant = nearest(reason, REASONS);
    const known = meant === null ? `expected one of ${REASONS.join(', ')}` : 'there is none of this name';
    throw new UsageError(
      `reason: ${known}, got ${show(reason)}${meantBy(meant)}; fleet failed shows those of failures`,
    );
  }
  if (since !== undefined && !(Number.isFinite(since) && since >= 0)) {
    throw new UsageError(`since: expected ms since 1970, got ${show(since)}`);
  }
  if (costAboveUsd !== undefined) assertUsd(costAboveUsd);
  for (const name of ['words', 'batch', 'mission', 'model', 'worker', 'client', 'session'] as const) {
    const value: unknown = filter[name];
    if (value === undefined || (typeof value === 'string' && value.trim() !== '')) continue;
    throw new UsageError(`${name}: expected a text that is not empty, got ${show(value)}`);
  }
}

function assertUsd(usd: unknown): void {
  try {
    if (toNanoUsd(usd as string) >= 0) return;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new UsageError(`costAboveUsd: expected decimal dollars, 0 or more, got ${show(usd)}`);
}

/** The name that is most like a text. Null: none is. */
export function nearest(text: string, names: readonly string[]): string | null {
  const likeness = (name: string): number => toLikeness(text.toLowerCase(), name.toLowerCase());
  const best = names.toSorted((a, b) => likeness(b) - likeness(a))[0];
  return best !== undefined && likeness(best) >= 0.5 ? best : null;
}

function meantBy(meant: string | null): string {
  return meant === null ? '' : `; did you mean ${meant}?`;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
