import { describeEntry, describeMs } from '../../src/cli/follow/timeline.ts';
import type { ListedState } from '../../src/jobs/find/types.ts';
import type { RunEntry } from '../../src/run-record/types.ts';
import { startOf } from '../../src/text/start-of.ts';
import { hasEnded } from '../../src/timeline/follow-timeline.ts';
import type { JobLook } from '../../src/timeline/read-job.ts';
import type { JobDetails } from '../../src/timeline/types.ts';
import { toVisible } from '../access/visible-text.ts';
import { toAction } from './job-row.ts';

/** Characters of a text that the page shows. */
const MOST_TEXT = 20_000;
const MOST_ENTRY = 2_000;

const KINDS = { tasks: 'task', archive: 'question', missions: 'mission' } as const;
/** BullMQ's states in the words of the list. */
const STATES: Record<JobDetails['state'], ListedState | null> = {
  active: 'running',
  waiting: 'waiting',
  prioritized: 'waiting',
  'waiting-children': 'waiting',
  delayed: 'delayed',
  parked: 'parked',
  failed: 'failed',
  cancelled: 'cancelled',
  completed: 'done',
  unknown: null,
};

/** A job as its page shows it. `state` null: no queue has it any more. */
export function toJobPage({ details, timeline }: JobLook, now: number) {
  const { queue, text, failure, waits, costUsd: _, state: stored, ...facts } = details;
  const state = STATES[stored];
  const [first] = timeline;
  return {
    job: {
      ...facts,
      queue,
      kind: queue === null ? 'job' : KINDS[queue],
      state,
      text: text === null ? null : toVisible(startOf(text, MOST_TEXT)),
      isCut: (text ?? '').length > MOST_TEXT,
      failure: failure === null ? null : { reason: failure.reason, text: toShown(failure.text) },
      waits: waits === null ? null : { why: toShown(waits.why), command: waits.command },
      hasEnded: hasEnded(stored),
      action: state === null ? null : toAction(state),
    },
    timeline: timeline.map((entry) => toRow(entry, first?.at ?? entry.at)),
    now: new Date(now).toISOString(),
  };
}

/** @param beganAt of the first entry, ms since 1970 */
function toRow(entry: RunEntry, beganAt: number) {
  const until = 'until' in entry ? entry.until : null;
  return {
    at: new Date(entry.at).toISOString(),
    since: `+${describeMs(Math.max(0, entry.at - beganAt))}`,
    kind: entry.kind,
    // A browser has a time zone of its own: it writes the time.
    text: toShown(describeEntry('until' in entry ? { ...entry, until: null } : entry)),
    until: until === null ? null : new Date(until).toISOString(),
    isFailure: entry.kind === 'failed' || ('error' in entry && entry.error !== null),
  };
}

function toShown(text: string): string {
  return toVisible(startOf(text, MOST_ENTRY));
}
