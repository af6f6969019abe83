import type { Logger } from '../../process/logger.ts';
import { noteActivityOnce } from '../../swarm/activity.ts';
import type { Notifier } from '../../swarm/notify.ts';
import type { DayClock } from './pacific-day.ts';
import type { Quota } from './quota.ts';
import type { Db } from '../../redis/db.ts';
import type { QuotaReport, ShardFailure } from './types.ts';
import type { ShardProject } from './shard-project.ts';
import { startOf } from '../../text/start-of.ts';

/** First and longest time that a failing shard is closed, ms; it doubles with each failure in a row. */
const FAILURE_WAITS = {
  refused: [10 * 60_000, 3_600_000],
  unavailable: [5_000, 10 * 60_000],
  malformed: [1_000, 60_000],
} as const;
/** So much of a provider's message is stored, UTF-16 code units. */
const MESSAGE_LENGTH = 500;

/** Records how shards answered, and sends a notice when a shard can serve no more calls. */
export function createShardReports(options: {
  db: Db;
  projects: readonly ShardProject[];
  quota: Quota;
  dayAt: DayClock;
  log: Pick<Logger, 'info' | 'warn'>;
  notifier?: Notifier | undefined;
}) {
  const { projects, quota, dayAt, log, notifier } = options;
  const { redis, keys, clock } = options.db;

  function projectOf(shard: number): ShardProject {
    const found = projects.find((project) => project.shards.some(({ number }) => number === shard));
    if (found === undefined) throw new TypeError(`shard ${shard}: expected one of those configured`);
    return found;
  }

  function dayUsedUp(project: ShardProject, day: string): void {
    for (const { number } of project.shards) {
      log.info({ shard: number, day }, "shard: the day's quota is used up");
      const detail = `all calls of ${day} are used up`;
      const mark = `shard-out:${number}:${day}`;
      void noteActivityOnce(options.db, mark, { what: 'shard-out', id: `shard ${number}`, text: detail });
      notifier?.notify(mark, { event: 'shard-out', shard: number, reason: 'day', detail });
    }
  }

  return {
    dayUsedUp,

    repaired(project: ShardProject): void {
      const names = project.shards.map(({ number }) => keys.shardQuota(number));
      log.warn({ keys: names }, 'shard: the quota key held no number; put right');
    },

    async report429(shard: number, report: QuotaReport): Promise<void> {
      const project = projectOf(shard);
      const outcome = await quota.note429(project, report);
      const { scope, retryAfterMs, statedLimit } = report;
      log.warn(
        { shard, scope, retryAfterMs, statedLimit, outcome },
        'shard: the provider says that a limit is reached',
      );
      if (outcome === 'day-used-up') dayUsedUp(project, report.day ?? dayAt(clock.now()).name);
    },

    async reportFailure(shard: number, { kind, message }: ShardFailure): Promise<void> {
      projectOf(shard);
      const reason = kind === 'refused' ? 'refused' : 'failing';
      const text = startOf(message, MESSAGE_LENGTH);
      const waitMs = await quota.noteFailure(shard, reason, text, FAILURE_WAITS[kind]);
      log.warn({ shard, kind, reason: text, waitMs }, 'shard: its call failed');
      if (kind !== 'refused') return;
      const day = clock.date().toISOString().slice(0, 10);
      const mark = `shard-out:${shard}:refused:${day}`;
      await noteActivityOnce(options.db, mark, { what: 'shard-out', id: `shard ${shard}`, text });
      notifier?.notify(mark, { event: 'shard-out', shard, reason, detail: text });
    },

    async reportSuccess(shard: number): Promise<void> {
      projectOf(shard);
      await redis.hdel(keys.shardState(shard), 'failures', 'closed_until', 'closed_reason');
    },
  };
}
