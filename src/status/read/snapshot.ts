import { parseTreeHosts } from '../../patches/sweep/tree-hosts.ts';
import { listClients } from '../../clients/clients.ts';
import type { ClientState } from '../../clients/types.ts';
import type { QueueName } from '../../../queues/registry.ts';
import type { ShardLimits } from '../../librarian/gate/shard-project.ts';
import type { Saving } from '../../pricing/cost.ts';
import { readBlockedParents } from '../../jobs/state/blocked-parents.ts';
import { readSchedulers } from '../../jobs/state/schedulers.ts';
import { isCancelled } from '../../jobs/cancelled.ts';
import { groupParked } from '../../jobs/outcomes/parked.ts';
import { readAwaitedBudget } from '../../ledger/budget.ts';
import type { Db } from '../../redis/db.ts';
import { parseStates } from '../../other-swarms/states.ts';
import { readOutside } from '../../outside/read-outside.ts';
import { parseWorkers } from '../../swarm/heartbeat.ts';
import { toHostClocks } from '../../swarm/host-clocks.ts';
import { hasAttendant, parseAttendants } from '../../swarm/presence.ts';
import type { QueueStatus, StatusSnapshot } from '../types.ts';
import { toCompaction } from './compaction.ts';
import { readFacts, readNamedFacts, type Facts } from './facts.ts';
import { readFailureReasons, readQueues, SAMPLE, splitCancelled, splitParked } from './queues.ts';
import { readSaving } from './saving.ts';
import { toLead } from './lead.ts';
import { toDayBudget, toExtraCosts, toSpend } from './spend.ts';
import { toStoredCount } from '../../redis/stored-record.ts';
import { createCatalog, type Catalog } from '../../pricing/catalog.ts';

/** What was found of another swarm before this says nothing of how it is now, ms. */
const SEEN_WITHIN_MS = 10 * 60_000;
/** Groups of parked jobs whose budgets are read. */
const MOST_BUDGETS = 10;
/** Share of a client's budget from which the status names it. */
const TIGHT_SHARE = 0.8;

export interface StatusOptions {
  /** Limit of a day where `fleet budget` never set one. Nano-dollars. */
  defaultDayLimitNanoUsd?: number;
  /** Model to compare costs with; none: the status holds no saving. */
  coordinatorModel?: string;
  /** Model of the tasks that name none: with one of the coordinator's class there is nothing to delegate. */
  workerModel?: string;
  /** Prices of the fleet's own models; default: the built-in ones. */
  catalog?: Catalog;
  /** The Gemini keys configured. None: the status holds no shards. */
  shards?: readonly ShardLimits[];
}

/**
 * Reads the whole state of the fleet: a fixed number of Redis commands, and one for each client, in two round trips, whatever the
 * number of findings and jobs. No SCAN, no KEYS. A session with rework takes two more, over its days' ledgers.
 */
export async function readStatus(db: Db, options: StatusOptions): Promise<StatusSnapshot> {
  const [facts, counted, reasons, schedulers, clients, outside] = await Promise.all([
    readFacts(db),
    readQueues(db),
    readFailureReasons(db),
    readSchedulers(db),
    listClients(db),
    readOutside(db),
  ]);
  const [named, blocked] = await Promise.all([
    readNamedFacts(db, facts, options.shards ?? []),
    readBlocked(db, counted),
  ]);
  const { totals, spent, parked } = named;
  const queues = counted.map((queue) => splitCancelled(splitParked(queue, parked, facts.parkedCount), reasons));
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
      contextTokens: Number(facts.contextTokens[0] ?? 0) || 0, // other programs may write it too
    },
    compaction: toCompaction(facts.live, facts),
    workers,
    outside,
    shards: named.shards,
    queues,
    spend: toSpend(named.costs, totals, facts.booked),
    ...costs,
    lead: toLead(totals, { catalog: createCatalog([]), ...options }),
    saving: await readSavingAfterRework(db, facts, { reworkTasks: costs.rework.tasks, ...options }),
    missions: named.missions,
    batches: named.batches,
    rules: named.rules,
    bridge: { older: facts.olderTasks, held: facts.heldTasks },
    patches: { pending: Math.max(0, facts.openPatches - facts.patchConflicts), conflict: facts.patchConflicts },
    halt: named.halt,
    parked: await withBudgets(db, groupParked(parked)),
    tightClients: toTightClients(clients),
    waits: named.waits,
    failed: reasons.filter(({ reason }) => !isCancelled(reason)),
    failedSampled: SAMPLE,
    counters,
    uncertain: { callCount: uncertainCalls, todayNanoUsd: toStoredCount(spent['uncertain']) },
    budget: toDayBudget(facts.day, { limits: facts.limits, spent }, options.defaultDayLimitNanoUsd),
    cooling: named.cooling,
    pacing: named.pacing,
    treeHosts: parseTreeHosts(facts.treeHosts, facts.now),
    otherSwarms: parseStates(facts.otherSwarms).filter(({ checkedAt }) => facts.now - checkedAt < SEEN_WITHIN_MS),
    foreignKeys: named.foreignKeys,
    unreadableFindings: facts.unreadable,
    oldWorkers: named.oldWorkers,
    keyConflicts: named.keyConflicts,
    hostClocks: toHostClocks(facts.hostClocks, db, facts.now),
    blocked,
    schedulers,
    ...toUnattended(queues, { hasWorker: workers.length > 0, facts }),
  };
}

/** Those whose next calls may reach their budget. */
function toTightClients(clients: readonly ClientState[]): StatusSnapshot['tightClients'] {
  return clients.flatMap(({ name, budgetNanoUsd: limitNanoUsd, settledNanoUsd, reservedNanoUsd, uncertainNanoUsd }) => {
    const usedNanoUsd = settledNanoUsd + reservedNanoUsd + uncertainNanoUsd;
    if (limitNanoUsd === null || usedNanoUsd < TIGHT_SHARE * limitNanoUsd) return [];
    return [{ name, limitNanoUsd, usedNanoUsd }];
  });
}

/** Adds the budgets that the largest groups of parked jobs wait for; a round trip only where jobs are parked. */
async function withBudgets(db: Db, groups: ReturnType<typeof groupParked>): Promise<StatusSnapshot['parked']> {
  return Promise.all(
    groups.map(async (group, i) => {
      if (i >= MOST_BUDGETS || group.name === null) return group;
      const budget = await readAwaitedBudget(db, group.scope, group.name);
      return budget === null ? group : { ...group, budget };
    }),
  );
}

/** Looks only where jobs wait for children. */
async function readBlocked(db: Db, queues: QueueStatus[]): Promise<StatusSnapshot['blocked']> {
  const waiting = queues.filter(({ waitingForChildren }) => waitingForChildren > 0);
  return (await Promise.all(waiting.map(({ name }) => readBlockedParents(db, name)))).flat();
}

/** Reads the session's saving, only where there is a session with rework and a model to compare with. */
async function readSavingAfterRework(
  db: Db,
  { session, now }: Facts,
  {
    reworkTasks,
    coordinatorModel,
    catalog,
  }: { reworkTasks: number } & Pick<StatusOptions, 'coordinatorModel' | 'catalog'>,
): Promise<Saving | null> {
  const { name, startedAt } = session;
  if (reworkTasks <= 0 || name === null || coordinatorModel === undefined) return null;
  return readSaving(
    db,
    { name, startedAt },
    { coordinatorModel, catalog: catalog ?? createCatalog([]), now: new Date(now) },
  );
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
  const entries = Object.entries(hash).map(([name, value]): [string, number] => [name, toStoredCount(value)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== 0).sort(([a], [b]) => a.localeCompare(b)));
}
