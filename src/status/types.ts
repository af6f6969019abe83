import type { BlockedParent, Scheduler } from '../jobs/state/types.ts';
import type { ContextInfo } from '../contexts/types.ts';
import type { ShownState } from '../coordinator/mission/shown-state.ts';
import type { MissionStep } from '../coordinator/mission/types.ts';
import type { OldWorker } from '../findings/types.ts';
import type { Halt } from '../halt/types.ts';
import type { AwaitedReason } from '../jobs/wake/reason.ts';
import type { ShardKeyConflict } from '../librarian/opening/types.ts';
import type { PacedModel } from '../pacing/paced-model.ts';
import type { TreeHost } from '../patches/types.ts';
import type { Saving } from '../pricing/cost.ts';
import type { OtherSwarmState } from '../other-swarms/state-types.ts';
import type { OutsideStatus } from '../outside/types.ts';
import type { QueueName } from '../../queues/registry.ts';
import type { BatchPace } from '../tasks/batch/types.ts';
import type { BudgetState } from '../ledger/budget-types.ts';
import type { ForeignKey, HostClock, LiveWorker } from '../swarm/types.ts';

/** The totals that every status has. `other` is work without a vendor, and what older versions booked of other vendors. */
export const VENDORS = ['sonnet', 'haiku', 'gemini', 'other'] as const;

/** What each vendor cost in the session in force: those of `VENDORS`, and every other one that was paid or did a task. */
export type Spend = Record<(typeof VENDORS)[number], VendorSpend> & Record<string, VendorSpend>;

/** What a memory shard holds and costs. */
export interface ShardState {
  shard: string;
  /** The memory context of the same name; null: there is none. */
  context: ContextInfo | null;
  /** Its findings, retracted ones included. */
  findings: number;
  /** Its tasks that ended in a finding. */
  tasks: number;
  calls: number;
  costUsd: string;
  costNanoUsd: number;
}

/** One Gemini key. */
export interface ShardStatus {
  shard: number;
  state: 'ok' | 'exhausted' | 'failing' | 'no-key';
  /** Calls left today, and how many a day has. */
  left: number;
  perDay: number;
  /** Calls started within the last window, and how many a window allows. */
  starts: number;
  perWindow: number;
}

export interface QueueStatus {
  name: QueueName;
  paused: boolean;
  /** Ready for a worker, with the prioritized ones. */
  waiting: number;
  active: number;
  /** Waiting for a time, such as the end of a cooldown or a backoff. Without the parked ones. */
  delayed: number;
  /** Waiting for their child jobs. */
  waitingForChildren: number;
  /** Waiting for a person to raise their own budget, or to resume their mission. */
  parked: number;
  completed: number;
  /** Without the cancelled ones. */
  failed: number;
  /** Those that a person cancelled, and that were not removed. */
  cancelled: number;
}

export interface VendorSpend {
  /** Value of `cost:<vendor>`: this session, with what other programs added. */
  nanoUsd: number;
  /** The part that other programs added. */
  externalNanoUsd: number;
  tokens: number;
  tasks: number;
  /** Count of the calls of free local models. Absent: none. */
  freeLocal?: number;
}

/** What a status shows of one mission. */
export interface MissionLine {
  id: string;
  /** The first words of its goal, on one line. */
  goal: string;
  session: string;
  /** `waiting`: for its tasks; it uses no slot meanwhile. */
  state: ShownState | 'waiting';
  /** Where it is, in a few words for people. */
  words: string;
  /** Its plan waits until a person runs it, also that of a dry run: none of its tasks was added. */
  isPlanned: boolean;
  step: MissionStep;
  /** All 0 until the mission has a plan. */
  tasks: { total: number; done: number; failed: number; cancelled: number; skipped: number };
  /** Why the mission makes no progress; empty: it does. */
  problem: string;
  createdAt: string | null;
  /** Id of its finding, once there is one. */
  finding: string | null;
  /** Of the mission with its tasks and questions, so far. */
  costNanoUsd: number;
  /** Count of its calls of free local models. Absent: none. */
  freeLocal?: number;
}

/** What a status shows of one batch with tasks to do. */
export interface BatchLine {
  batch: string;
  tasks: number;
  completed: number;
  /** Without the cancelled ones. */
  failed: number;
  cancelled: number;
  /** Null: so many jobs are parked that a status does not look at each. */
  parked: number | null;
  /** Of the tasks that are not parked. Null while it is not known. */
  pace: BatchPace | null;
  /** So far. */
  costNanoUsd: number;
  /** Null: it has no budget of its own. */
  limitNanoUsd: number | null;
}

/** What a status shows of one rule. */
export interface RuleLine {
  name: string;
  /** Which findings it is about, for people. */
  match: string;
  /** `catching-up`: it looks through findings of before. */
  state: 'active' | 'paused' | 'catching-up';
  /** Why the fleet paused it, or what keeps it from working. */
  problem: string | null;
  /** Tasks that it started. */
  fired: number;
  firedToday: number;
  /** Its parked chains; 0 where there are too many of all rules to read. */
  parked: number;
  /** What its tasks have cost, or may have. */
  costNanoUsd: number;
  /** Null: it has no budget of its own. */
  limitNanoUsd: number | null;
  lastFiredAt: string | null;
}

/** The rules of a swarm. */
export interface RulesStatus {
  total: number;
  /** Parked chains of all rules. */
  parked: number;
  /** The first fifty, by name. */
  lines: RuleLine[];
}

/** State of an archive with more live findings than its limit. */
export interface CompactionStatus {
  /** `condensing`: compaction runs. `due`: it runs before the next mission. `stuck`: nothing can be condensed; missions run. */
  state: 'condensing' | 'due' | 'stuck';
  /** Above so many live findings, old ones are condensed. */
  limit: number;
  /** Why it is stuck; else empty. */
  problem: string;
}

/** All that `fleet status` and the dashboard show. JSON values: money in whole nano-dollars, instants in ISO 8601, no rendered text. */
export interface StatusSnapshot {
  /** Redis' clock. */
  at: string;
  swarm: string;
  /** Its first process marks the swarm as one of them for ever; null before. */
  kind: 'real' | 'simulated' | null;
  session: { name: string | null; startedAt: string | null };
  findings: {
    live: number;
    sinceSession: number;
    /** Of this session, of workers that ran out of turns. */
    partialSinceSession: number;
    /** Of this session, of tasks in which a tool call failed. */
    toolErrorsSinceSession: number;
    contextTokens: number;
  };
  /** Null where the archive is within its limit and no compaction runs. */
  compaction: CompactionStatus | null;
  workers: LiveWorker[];
  /** The other swarms that processes of this one looked at in the last ten minutes. */
  otherSwarms: OtherSwarmState[];
  /** Agents and programs that do tasks themselves. */
  outside: OutsideStatus;
  shards: ShardStatus[];
  queues: QueueStatus[];
  spend: Spend;
  /** The coordinator's own calls, such as planning and synthesis, this session. They are no tasks. Part of `spend`. */
  coordinator: { nanoUsd: number; tokens: number; calls: number };
  /** The librarians' calls, this session. No task's: part of `spend`, and of no share and no saving. */
  archive: { nanoUsd: number; tokens: number; calls: number };
  /** What failed and handed-back tasks had cost when they failed, this session. Part of `spend`. */
  rework: { nanoUsd: number; tasks: number };
  /**
   * The coordinator's model: its id, its name for people, this session's tasks on models of its class, and whether workers use that class
   * by default, so that there is nothing to delegate. Null: the caller named none.
   */
  lead: { model: string; name: string; tasks: number; isWorkers: boolean } | null;
  /** Against the coordinator's model for everything, this session; null without rework, or where the ledger is too large to read. */
  saving: Saving | null;
  /** The newest missions, newest first, then older ones that ask or wait for approval. `queues` counts all of them by state. */
  missions: MissionLine[];
  /** Those of the five newest batches that have tasks to do, newest first. */
  batches: BatchLine[];
  rules: RulesStatus;
  /** Tasks of programs of the original fleet: `older` wait for a person, `held` for a worker of theirs. */
  bridge: { older: number; held: number };
  /** What isolated tasks changed and a person has neither applied nor discarded. `conflict`: it did not fit when it was last tried. */
  patches: { pending: number; conflict: number };
  /** The halt in force; a field that is not known is an empty string. */
  halt: Halt | null;
  /** Clients that have used, or hold, four fifths of their budget or more, by name. Nano-dollars. */
  tightClients: { name: string; limitNanoUsd: number; usedNanoUsd: number }[];
  /**
   * Parked jobs by what they wait for. `scope` is `batch`, `task` …; `name` is the batch's. `budget` is that of the ten largest groups;
   * missing: it has no limit, or cannot be read.
   */
  parked: { scope: string; name: string | null; count: number; budget?: BudgetState }[];
  /** Delayed jobs by what wakes them before their time, most first; a job that nothing wakes is not among them. */
  waits: AwaitedReason[];
  /** Failed jobs by reason, most first, without the cancelled ones, of the newest `failedSampled` in each queue. */
  failed: { queue: QueueName; reason: string; count: number }[];
  failedSampled: number;
  /** Counters since the swarm began, such as recoveries, waits and quarantines. Those at 0 are left out. */
  counters: Record<string, number>;
  /** Calls whose process was killed before their answer was stored, at their reserved worst case. */
  uncertain: { callCount: number; todayNanoUsd: number };
  /** The UTC day's budget. `limitNanoUsd` is null where none is set and the caller gave no default. */
  budget: {
    day: string;
    limitNanoUsd: number | null;
    settledNanoUsd: number;
    reservedNanoUsd: number;
    uncertainNanoUsd: number;
  };
  /**
   * Models that cool down, and for how long: their provider limits or fails them, or (`isForMoney`) uncertain cost fills the
   * day's budget.
   */
  cooling: { model: string; forMs: number; isForMoney: boolean }[];
  /** Models that were called within ten minutes, with their providers' limits. */
  pacing: PacedModel[];
  /** The hosts on whose disks tasks have working trees of their own. */
  treeHosts: TreeHost[];
  /** The hosts whose clocks are off by more than two seconds: of live processes, and the one that reads the status. */
  hostClocks: HostClock[];
  /** Public keys in which another program stored what the fleet cannot use, and damaged private ones. */
  foreignKeys: ForeignKey[];
  /** Count of what other programs stored as findings and nobody can read. */
  unreadableFindings: number;
  /** The live workers of other programs, by id. */
  oldWorkers: OldWorker[];
  /** Shards for which live librarians have different keys. */
  keyConflicts: ShardKeyConflict[];
  /** Jobs that wait for a child that has failed: other programs' flows. */
  blocked: BlockedParent[];
  /** Job schedulers of other programs on the fleet's queues, at most 20 a queue. */
  schedulers: Scheduler[];
  /** Waiting tasks while no live worker exists. */
  tasksWithoutWorker: number;
  /** Waiting questions while no librarian is up, and waiting missions while no coordinator is. */
  questionsWithoutLibrarian: number;
  missionsWithoutCoordinator: number;
}

/** A line below the figures of a status. Terminal and dashboard show the same notices; a halt is shown apart from them. */
export interface Notice {
  /** Its subject. A page leaves out the kinds that it shows in full elsewhere. */
  kind:
    | 'paused'
    | 'other-swarm'
    | 'outside'
    | 'unattended'
    | 'unreadable'
    | 'old-workers'
    | 'shard-keys'
    | 'parked'
    | 'clients'
    | 'waits'
    | 'failed'
    | 'cancelled'
    | 'blocked'
    | 'schedulers'
    | 'patches'
    | 'rules'
    | 'bridge'
    | 'cooling'
    | 'archive'
    | 'trees'
    | 'clock'
    | 'foreign'
    | 'counters'
    | 'uncertain'
    | 'budget'
    | 'external';
  level: 'info' | 'warning';
  /** One to three words. Two notices have the same label only if their commands differ. */
  label: string;
  /** One line, without control characters. */
  text: string;
  /** Command line that resolves it; a word in capitals is a placeholder for a name or an amount. */
  command?: string;
  /** What the command does, or what a person should know. The terminal prints it only after a command. */
  hint?: string;
  /** The parts of `text`, where each has a command of its own. */
  items?: { text: string; command: string }[];
}
