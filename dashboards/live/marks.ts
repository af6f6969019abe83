import { createHash } from 'node:crypto';
import type { StatusSnapshot } from '../../src/status/types.ts';

/**
 * One word for each part of the fleet's state: another one as soon as the part has changed. A page compares the words to know whether it
 * must read itself again. What passes by itself, such as ages, leases and cooldowns, is in none.
 */
export interface Marks {
  /** Jobs, batches, missions, rules, patches and who works. */
  work: string;
  /** What was spent, and the budgets. */
  money: string;
  findings: string;
}

export function toMarks(snapshot: StatusSnapshot): Marks {
  const { findings, compaction, halt, queues, failed, parked, waits, blocked, missions, rules, patches, bridge } =
    snapshot;
  const { spend, budget, uncertain, rework, tightClients, outside, counters } = snapshot;
  const { reservedNanoUsd: _reserved, ...booked } = budget; // it changes with every call that begins, and is nobody's cost yet
  const batches = snapshot.batches.map(({ pace: _pace, ...batch }) => batch);
  const workers = snapshot.workers.map(({ seenAt: _seenAt, ...worker }) => worker);
  const shards = snapshot.shards.map(({ shard, state, left }) => [shard, state, left]);
  return {
    work: toWord([
      [halt, queues, failed, parked, waits, blocked, missions, batches, rules, patches, bridge, counters],
      [workers, outside, shards, snapshot.oldWorkers.map(({ id }) => id), snapshot.otherSwarms.map(({ name }) => name)],
    ]),
    money: toWord([spend, booked, uncertain, rework, tightClients]),
    findings: toWord([findings, compaction]),
  };
}

function toWord(part: unknown): string {
  return createHash('sha1').update(JSON.stringify(part)).digest('base64url').slice(0, 12);
}
