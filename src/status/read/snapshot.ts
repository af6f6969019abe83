import { parseTreeHosts } from '../../patches/sweep/tree-hosts.ts';
import type { QueueName } from '../../../queues/registry.ts';
import { parseHalt } from '../../halt/halt.ts';
import type { ShardLimits } from '../../librarian/gate/shard-project.ts';
import type { Saving } from '../../pricing/cost.ts';
import { groupParked } from '../../jobs/outcomes/parked.ts';
import type { Db } from '../../redis/db.ts';
import { parseWorkers } from '../../swarm/heartbeat.ts';
import { hasAttendant, parseAttendants } from '../../swarm/presence.ts';
import type { QueueStatus, StatusSnapshot } from '../types.ts';
import { toCompaction } from './compaction.ts';
import { readFacts, readNamedFacts, type Facts } from './facts.ts';
import { readFailureReasons, readQueues, SAMPLE, splitParked } from './queues.ts';
import { readSaving } from './saving.ts';
import { toDayBudget, toExtraCosts, toSpend } from './spend.ts';

export interface StatusOptions {
  /** Limit of a day where `fleet budget` never set one. Nano-dollars. */
  defaultDayLimitNanoUsd?: number;
  /** Model to compare costs with; none: the status holds no saving. */
  sonnetModel?: string;
  /** The Gemini keys configured. None: the status holds no shards. */
  shards?: readonly ShardLimits[];
}

/**
 * Reads the whole state of the fleet: a fixed number of Redis commands in two round trips, whatever the number of
 * findings and jobs. No SCAN, no KEYS. A session with rework takes two more, over its days' ledgers.
 */
export async function readStatus(db: Db, options: StatusOptions): Promise<StatusSnapshot> {
  const [facts, counted, failed] = await Promise.all([readFacts(db), readQueues(db), readFailureReasons(db)]);
  const named = await readNamedFacts(db, facts, options.shards ?? []);
  const { totals, spent, parked } = named;
  const queues = counted.map((queue) => splitParked(queue, parked, facts.parkedCount));
  const workers = parseWorkers(facts.workers, facts.now);
  const costs = toExtraCosts(totals);
  const { uncertain_calls: uncertainCalls = 0, ...counters } = toCounters(facts.counters);
  return {
    at: new Date(facts.now).toISOString(),
    swarm: db.keys.swarm,
    kind: facts.kind === 'real' || facts.kind === 'simulated' ? facts.kind : null,
    session: { name: facts.session.name, startedAt: facts.session.startedAt },
    findings: {
      live: facts.live,
      sinceSession: facts.session.findings,
      partialSinceSession: facts.session.partial,
      toolErrorsSinceSession: facts.session.toolErrors,
      contextTokens: Number(facts.contextTokens ?? 0) || 0, // other programs may write it too
    },
    compaction: toCompaction(facts.live, facts),
    workers,
    shards: named.shards,
    queues,
    spend: toSpend(facts.costs, totals, facts.booked),
    ...costs,
    saving: await readSavingAfterRework(db, facts, { reworkTasks: costs.rework.tasks, ...options }),
    missions: named.missions,
    patches: { pending: Math.max(0, facts.openPatches - facts.patchConflicts), conflict: facts.patchConflicts },
    halt: facts.halt === null ? null : parseHalt(facts.halt),
    parked: groupParked(parked),
    failed,
    failedSampled: SAMPLE,
    counters,
    uncertain: { callCount: uncertainCalls, todayNanoUsd: Number(spent['uncertain'] ?? 0) },
    budget: toDayBudget(facts.day, { limits: facts.limits, spent }, options.defaultDayLimitNanoUsd),
    cooling: named.cooling,
    pacing: named.pacing,
    treeHosts: parseTreeHosts(facts.treeHosts, facts.now),
    ...toUnattended(queues, { hasWorker: workers.length > 0, facts }),
  };
}

/** Reads the session's saving, only where there is a session with rework and a model to compare with. */
async function readSavingAfterRework(
  db: Db,
  { session, now }: Facts,
  { reworkTasks, sonnetModel }: { reworkTasks: number; sonnetModel?: string },
): Promise<Saving | null> {
  const { name, startedAt } = session;
  if (reworkTasks <= 0 || name === null || sonnetModel === undefined) return null;
  return readSaving(db, { name, startedAt }, { sonnetModel, now: new Date(now) });
}

/** Waiting jobs of the queues of which no process takes jobs. */
function toUnattended(
  queues: QueueStatus[],
  { hasWorker, facts }: { hasWorker: boolean; facts: Facts },
): Pick<StatusSnapshot, 'tasksWithoutWorker' | 'questionsWithoutLibrarian' | 'missionsWithoutCoordinator'> {
  const waiting = (name: QueueName): number => queues.find((queue) => queue.name === name)?.waiting ?? 0;
  const attendants = parseAttendants(facts.attendants, facts.now);
  return {
    tasksWithoutWorker: hasWorker ? 0 : waiting('tasks'),
    questionsWithoutLibrarian: hasAttendant(attendants, 'librarian') ? 0 : waiting('archive'),
    missionsWithoutCoordinator: hasAttendant(attendants, 'coordinator') ? 0 : waiting('missions'),
  };
}

/** The counters that are not 0, by name. */
function toCounters(hash: Record<string, string>): Record<string, number> {
  const entries = Object.entries(hash).map(([name, value]): [string, number] => [name, Number(value)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== 0).sort(([a], [b]) => a.localeCompare(b)));
}
