import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../redis/db.ts';
import { createPatience } from '../redis/errors/patience.ts';
import type { RunEntry } from '../run-record/types.ts';
import type { FoundJob } from './find-job.ts';
import { isNoted, NOTED_WITHIN_MS } from './merge-timeline.ts';
import { lookAtJob, type JobLook } from './read-job.ts';
import type { JobDetails } from './types.ts';

/** Time between two looks, ms. */
const LOOK_EVERY_MS = 1_000;
const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'unknown']);

/** Whether nothing more happens to a job in this state by itself. */
export function hasEnded(state: JobDetails['state']): boolean {
  return ENDED.has(state);
}

/**
 * Yields the timeline of a job, then what happens until it has ended or `signal` fires. A job of which nothing is in a queue has ended.
 * An outage of Redis delays it.
 * @param options.say takes a line when Redis goes away, and when it is back
 * @param options.onLook takes each look, before its entries
 */
export async function* followTimeline(
  db: Db,
  job: FoundJob,
  options: {
    follow: boolean;
    signal?: AbortSignal | undefined;
    say?: (line: string) => void;
    onLook?: (look: JobLook) => void;
  },
): AsyncGenerator<RunEntry> {
  const { follow, signal, say = () => undefined, onLook } = options;
  const patiently = createPatience(say);
  const seen = new Seen();
  for (;;) {
    if (signal?.aborted === true) return;
    const look = follow ? await patiently(() => lookAtJob(db, job)) : await lookAtJob(db, job);
    onLook?.(look);
    for (const entry of look.timeline) if (seen.isNew(entry, look)) yield entry;
    if (!follow || hasEnded(look.details.state)) return;
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The entries that were yielded. What BullMQ and the books tell of a run, the run notes itself a moment later: it is told once. */
class Seen {
  readonly #keys = new Set<string>();
  #unnotedAt: number | null = null;
  #open: RunEntry | null = null;

  isNew(entry: RunEntry, look: JobLook): boolean {
    const key = JSON.stringify(entry);
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (entry.kind === 'reserved') return this.#isNewCall(entry, look.open);
    if (entry.kind !== 'taken') return true;
    const before = this.#unnotedAt;
    this.#unnotedAt = entry.at === look.unnotedAt ? look.unnotedAt : null;
    return before === null || !isNoted([entry], before);
  }

  #isNewCall(entry: RunEntry & { kind: 'reserved' }, open: RunEntry | null): boolean {
    const before = this.#open;
    this.#open = entry === open ? open : null;
    const isSame = before?.kind === 'reserved' && before.turn === entry.turn;
    return !isSame || Math.abs(before.at - entry.at) > NOTED_WITHIN_MS;
  }
}
