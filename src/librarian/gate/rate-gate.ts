import { toMessage } from '../../errors.ts';
import { rejectOnAbort } from '../../process/abort.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { decideAdmission } from './admission.ts';
import { Dispatcher } from './dispatcher.ts';
import { pacificDay, type DayClock } from './pacific-day.ts';
import { Quota } from './quota.ts';
import { toProjects, type ShardLimits } from './shard-project.ts';
import { createShardReports } from './shard-reports.ts';
import { readShardStates } from './shard-states.ts';
import type { PermitAnswer, RateGate } from './types.ts';

const SPREAD_AFTER_MS = 100;

export interface RateGateOptions {
  db: Db;
  shards: readonly ShardLimits[];
  log: Pick<Logger, 'debug' | 'info' | 'warn'>;
  /** Spreads what is left of a day's quota over what is left of the day. Default false. */
  pacing?: boolean;
  /** Sends a notice when a shard can serve no more calls. */
  notifier?: Notifier;
  /** Default: days begin at midnight Pacific. */
  dayAt?: DayClock;
  /** A query that has no permit after so long, ms, takes any shard's instead of waiting for its turn's. Default 100. */
  spreadAfterMs?: number;
}

/**
 * Opens the gate of one process, with two connections beside its own. The limiter gives out the places of a window, in
 * fair turns over all processes. The quota alone decides whether a call may start, in one step and by Redis' clock, so
 * neither a skewed clock nor a stopped process nor a limiter that lost its data lets too many calls through.
 */
export function createRateGate(options: RateGateOptions): RateGate {
  const { db, shards, log, pacing = false, notifier, dayAt = pacificDay, spreadAfterMs = SPREAD_AFTER_MS } = options;
  const projects = toProjects(shards);
  const maxWaitMs = 2 * Math.max(0, ...projects.map(({ heldMs }) => heldMs));
  const quota = new Quota({ db, dayAt, pacing });
  const reports = createShardReports({ db, projects, quota, dayAt, log, notifier });
  const dispatcher = new Dispatcher({
    db,
    projects,
    quota,
    log,
    maxWaitMs,
    spreadAfterMs,
    onDayUsedUp: reports.dayUsedUp,
  });

  // Before the first query, which tries again: a process that has asked nothing yet must notice a loss, too.
  quota.learnEpoch().catch((error: unknown) => log.debug({ reason: toMessage(error) }, 'rate gate: epoch not read'));

  return {
    async acquire({ tokens: estimate, exclude = [] }, { signal }): Promise<PermitAnswer> {
      signal.throwIfAborted();
      dispatcher.assertOpen();
      const tokens = Math.max(0, Math.ceil(estimate));
      const allowed = projects.filter((project) => project.shards.some(({ number }) => !exclude.includes(number)));
      if (allowed.length === 0) return { kind: 'wait', untilMs: Date.now(), reason: 'excluded' };

      await rejectOnAbort(quota.learnEpoch(), signal);
      const plan = await rejectOnAbort(quota.plan(allowed, tokens, exclude), signal);
      for (const view of plan.views) {
        dispatcher.update(view);
        if (view.repaired) reports.repaired(view.project);
      }
      const admission = decideAdmission(plan, maxWaitMs);
      if (admission.kind === 'answer') return admission.answer;
      return dispatcher.wait({ tokens, exclude }, admission, signal);
    },
    report429: reports.report429,
    reportFailure: reports.reportFailure,
    reportSuccess: reports.reportSuccess,
    status: () => readShardStates(db, shards, { dayAt }),
    close: () => dispatcher.close(),
  };
}
