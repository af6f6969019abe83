import { randomUUID } from 'node:crypto';
import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
import type { Usage } from '../../../queues/usage.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toApartFields } from '../booking-groups.ts';
import { NO_USAGE } from '../../pricing/tokens.ts';
import type { Db } from '../../redis/db.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import type { UncertainCall } from './list.ts';
import { hasFields, parseRecord } from '../../redis/stored-record.ts';

/** What an uncertain call cost after all. */
export interface Verdict {
  nanoUsd: number;
  /** The tokens, where they are known. */
  usage?: Usage;
  /** Who says so: a person, or the provider's report. */
  by: string;
  why: string;
}

/** A call that was uncertain, as the ledger keeps it. */
export interface Settlement {
  /** Id of its reservation. */
  call: string;
  job: string;
  model: string | null;
  /** The worst case that was uncertain, nano-dollars. */
  uncertain_nano: number;
  /** What is booked instead. */
  nano: number;
  by: string;
  why: string;
  /** ISO 8601. */
  at: string;
}

/**
 * Settles one uncertain call: books what it cost to the day on which it was made, and notes it in the job's log.
 * @returns false if it is uncertain no longer: its reply came, or another process settled it
 */
export async function settleUncertain(db: Db, call: UncertainCall, verdict: Verdict): Promise<boolean> {
  const { keys, scripts, clock } = db;
  const { nanoUsd, usage = NO_USAGE, by, why } = verdict;
  const queue = await findQueue(db, call.jobId);
  const record: Settlement = {
    call: call.id,
    job: call.jobId,
    model: call.model,
    uncertain_nano: call.nanoUsd,
    nano: nanoUsd,
    by,
    why,
    at: clock.date().toISOString(),
  };
  const cost = nanoUsd === 0 ? 'as not billed' : `at ${formatUsd(nanoUsd, 6)}`;
  const fields = {
    id: call.id,
    packed: call.packed,
    nano: String(nanoUsd),
    usage: [usage.input, usage.cache_write, usage.cache_read, usage.output].map(String),
    calls: call.reported === null ? '1' : '0', // what its stream reported is booked as a call already
    day: call.day,
    row: call.row,
    vendor: call.vendor,
    ...(call.apart === null ? {} : toApartFields(call.apart, call.row)),
    record: JSON.stringify({ ...record, id: randomUUID() }), // two persons may say the same in one millisecond
    log: `${record.at} the uncertain cost of turn ${call.turn} is settled ${cost}: ${why} (${by})`,
  };
  const answer = await scripts['settle-uncertain'](
    {
      reservations: keys.reservations,
      counters: keys.counters,
      ledgers: keys.ledgers,
      totals: keys.sessionTotals(call.session),
      cost: keys.cost(call.vendor),
      ledgerDays: keys.ledgerDays,
      settlements: keys.settlements,
      metrics: keys.metrics,
      ...(queue === null ? {} : { job: keys.queueKey(queue, call.jobId), logs: keys.jobLogs(queue, call.jobId) }),
    },
    [toWellFormedJson(fields)],
  );
  return answer === 'settled';
}

const SETTLEMENT = {
  call: 'string',
  job: 'string',
  uncertain_nano: 'number',
  nano: 'number',
  by: 'string',
  why: 'string',
  at: 'string',
} as const;

/** The last settlements, the newest first, without damaged ones. */
export async function readSettlements({ redis, keys }: Db, most: number): Promise<Settlement[]> {
  const texts = await redis.lrange(keys.settlements, -most, -1);
  return texts
    .map((text): unknown => parseRecord(text))
    .filter(
      (record): record is Settlement =>
        hasFields(record, SETTLEMENT) && [record['nano'], record['uncertain_nano']].every(Number.isSafeInteger),
    )
    .toReversed();
}

/** Returns the queue that has the job; null: it was removed, or never had one. */
async function findQueue({ redis, keys }: Db, jobId: string): Promise<QueueName | null> {
  const names = Object.keys(queueRegistry) as QueueName[];
  const found = await Promise.all(names.map((name) => redis.exists(keys.queueKey(name, jobId))));
  return names[found.indexOf(1)] ?? null;
}
