import { z } from 'zod';
import { scanHash } from '../ledger/scan-hash.ts';
import { toStoredTime, parseRecord } from '../redis/stored-record.ts';
import type { Db } from '../redis/db.ts';
import { readAttendants } from '../swarm/presence.ts';

/** The bridge at a glance. The counts are of tasks and questions of other programs. */
export interface BridgeState {
  /** Ids of the processes that are up. */
  up: string[];
  /** First start in this swarm, UTC; null: it never ran. */
  since: string | null;
  /** Taken by the fleet, or done elsewhere, and not forgotten. */
  known: number;
  /** Older than the first start: a person takes them. */
  older: number;
  /** Claimed by the fleet. */
  claimed: number;
  /** Claimed by a worker of other programs: their jobs wait for its end. */
  held: number;
  /** Tasks of memory shards that the fleet took and has not answered; failed ones, too. */
  ofShards: number;
  /** Questions of `queue:archive_query` without an answer. */
  questions: number;
  /** Old workers that wait for the fleet's help. */
  assists: number;
}

/** Reads the bridge's state in one round trip and a half: O(1), whatever it holds. */
export async function readBridge(db: Db): Promise<BridgeState> {
  const { redis, keys } = db;
  const parts = ['known', 'older', 'claims', 'held', 'listed', 'asked', 'assists'] as const;
  const [attendants, since, counts] = await Promise.all([
    readAttendants(db),
    redis.hget(keys.bridge('start'), 'since'),
    Promise.all(parts.map((part) => redis.hlen(keys.bridge(part)))),
  ]);
  const [known = 0, older = 0, claimed = 0, held = 0, ofShards = 0, questions = 0, assists = 0] = counts;
  return {
    up: attendants.filter((id) => id.startsWith('bridge_')),
    since: since === null ? null : toStoredTime(since).toISOString(),
    known,
    older,
    claimed,
    held,
    ofShards,
    questions,
    assists,
  };
}

/** A task of another program that somebody works at. */
export interface OpenOldTask {
  state: 'claimed' | 'held' | 'shard';
  /** The other program's id. */
  id: string;
  jobId: string;
  /** Worker that has it; empty: not known. */
  by: string;
}

const recordSchema = z.object({ job: z.string().catch(''), by: z.string().catch(''), task: z.string().catch('') });

/** Yields the tasks that the fleet or another program's worker has, in no order. */
export async function* eachOpen({ redis, keys }: Db): AsyncGenerator<OpenOldTask> {
  for (const [part, state] of [
    ['claims', 'claimed'],
    ['held', 'held'],
    ['listed', 'shard'],
  ] as const) {
    const seen = new Set<string>(); // HSCAN may give an entry twice
    for await (const [field, text] of scanHash(redis, keys.bridge(part))) {
      if (seen.has(field)) continue;
      seen.add(field);
      const { job, by, task } = recordSchema.parse(parseRecord(text) ?? {});
      if (state === 'shard') yield { state, id: task, jobId: field, by: '' };
      else yield { state, id: field, jobId: job, by };
    }
  }
}
