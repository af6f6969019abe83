import type { MissionState, MissionStep } from '../coordinator/mission/types.ts';
import type { Halt } from '../halt/types.ts';
import type { PacedModel } from '../pacing/paced-model.ts';
import type { TreeHost } from '../patches/types.ts';
import type { Saving } from '../pricing/cost.ts';
import type { QueueName } from '../../queues/registry.ts';
import type { LiveWorker } from '../swarm/types.ts';

/** The vendors with totals of their own. `other` is every model of another vendor. */
export const VENDORS = ['sonnet', 'haiku', 'gemini', 'other'] as const;
export type Vendor = (typeof VENDORS)[number];

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
  failed: number;
}

export interface VendorSpend {
  /** Value of `cost:<vendor>`: this session, with what other programs added. */
  nanoUsd: number;
  /** The part that other programs added. */
  externalNanoUsd: number;
  tokens: number;
  tasks: number;
}

/** What a status shows of one mission. */
export interface MissionLine {
  id: string;
  /** The first words of its goal, on one line. */
  goal: string;
  session: string;
  /** `waiting`: for its tasks; it uses no slot meanwhile. */
  state: MissionState | 'waiting';
  step: MissionStep;
  /** All 0 until the mission has a plan. */
  tasks: { total: number; done: number; failed: number; skipped: number };
  /** Why the mission makes no progress; empty: it does. */
  problem: string;
  createdAt: string | null;
  /** Id of its finding, once there is one. */
  finding: string | null;
  /** Of the mission with its tasks and questions, so far. */
  costNanoUsd: number;
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
  shards: ShardStatus[];
  queues: QueueStatus[];
  spend: Record<Vendor, VendorSpend>;
  /** The coordinator's own calls, such as planning and synthesis, this session. They are no tasks. Part of `spend`. */
  coordinator: { nanoUsd: number; tokens: number; calls: number };
  /** What failed and handed-back tasks had cost when they failed, this session. Part of `spend`. */
  rework: { nanoUsd: number; tasks: number };
  /** Against all Sonnet, this session; null without rework, or where the ledger is too large to read. */
  saving: Saving | null;
  /** The newest missions, newest first. `queues` counts all of them by state. */
  missions: MissionLine[];
  /** What isolated tasks changed and a person has neither applied nor discarded. `conflict`: it did not fit when it was last tried. */
  patches: { pending: number; conflict: number };
  /** The halt in force; a field that is not known is an empty string. */
  halt: Halt | null;
  /** Parked jobs by what they wait for. `scope` is `batch`, `task` …; `name` is the batch's. */
  parked: { scope: string; name: string | null; count: number }[];
  /** Failed jobs by reason, most first, of the newest `failedSampled` in each queue. */
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
    | 'unattended'
    | 'parked'
    | 'failed'
    | 'patches'
    | 'cooling'
    | 'archive'
    | 'trees'
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
