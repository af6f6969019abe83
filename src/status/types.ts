import type { MissionState, MissionStep } from '../coordinator/mission/types.ts';
import type { Halt } from '../halt/halt-shape.ts';
import type { Saving } from '../pricing/cost.ts';
import type { QueueName } from '../../queues/registry.ts';

/** The vendors whose totals are kept apart. `other` is any model of another maker. */
export const VENDORS = ['sonnet', 'haiku', 'gemini', 'other'] as const;
export type Vendor = (typeof VENDORS)[number];

/** One live Haiku worker process, as its last heartbeat (less than 60 s old) says. */
export interface WorkerStatus {
  id: string;
  host: string;
  pid: number;
  /** Tasks it can hold at once. */
  slots: number;
  /** Job ids it holds now. */
  active: string[];
  /** Names of the workspaces it can work in. */
  workspaces: string[];
  startedAt: string;
  /** Redis' clock, ms since 1970. */
  seenAt: number;
}

/** One Gemini key. */
export interface ShardStatus {
  shard: number;
  state: 'ok' | 'exhausted' | 'failing' | 'no-key';
  /** Calls left today, and what the day began with. */
  left: number;
  perDay: number;
  /** Calls started within the last window, and what one allows. */
  starts: number;
  perWindow: number;
}

export interface QueueStatus {
  name: QueueName;
  paused: boolean;
  /** Ready to be taken, prioritized ones included. */
  waiting: number;
  active: number;
  /** Waiting for a time: a cooling model, a backoff. Without the parked ones. */
  delayed: number;
  /** Waiting for other jobs. */
  waitingForChildren: number;
  /** Waiting for a person to raise their own budget. */
  parked: number;
  completed: number;
  failed: number;
}

export interface VendorSpend {
  /** What `cost:<vendor>` says: this session, other programs' additions included. */
  nanoUsd: number;
  /** The part of it that the fleet did not book itself. */
  externalNanoUsd: number;
  tokens: number;
  tasks: number;
}

/** One mission, as the newest few are shown. */
export interface MissionLine {
  id: string;
  /** The first words of its goal, on one line. */
  goal: string;
  session: string;
  /** `waiting`: for its tasks; it holds no slot then. */
  state: MissionState | 'waiting';
  step: MissionStep;
  /** All zero until it has a plan. */
  tasks: { total: number; done: number; failed: number; skipped: number };
  /** What stands in its way; empty: nothing. */
  problem: string;
  createdAt: string | null;
  /** Id of its finding, once there is one. */
  finding: string | null;
  /** Of its whole tree so far. */
  costNanoUsd: number;
}

/** What becomes of an archive that is too full. */
export interface CompactionStatus {
  /** `condensing`: now. `due`: the next mission does it first. `stuck`: nothing can be condensed; missions go on. */
  state: 'condensing' | 'due' | 'stuck';
  /** Live findings from which on old ones are condensed. */
  limit: number;
  /** Why it is stuck; else empty. */
  problem: string;
}

/** All that `fleet status` and the dashboard show. Plain JSON: money in whole nano-dollars, instants in ISO 8601, no derived text. */
export interface StatusSnapshot {
  /** Redis' clock. */
  at: string;
  swarm: string;
  /** What the swarm was marked as by its first process; null before one ran. */
  kind: 'real' | 'simulated' | null;
  session: { name: string | null; startedAt: string | null };
  findings: { live: number; sinceSession: number; contextTokens: number };
  /** Where there are more live findings than missions may begin with, or some are being condensed; else null. */
  compaction: CompactionStatus | null;
  workers: WorkerStatus[];
  shards: ShardStatus[];
  queues: QueueStatus[];
  spend: Record<Vendor, VendorSpend>;
  /** Planning, synthesis and other calls of the coordinator itself, this session: no tasks. In `spend` too. */
  coordinator: { nanoUsd: number; tokens: number; calls: number };
  /** What failed and handed-back tasks had spent when they failed, this session. In `spend` too. */
  rework: { nanoUsd: number; tasks: number };
  /** Against all Sonnet, this session; null without rework, or where it takes too long to read. */
  saving: Saving | null;
  /** The newest missions, newest first. How many there are, by state, their queue says. */
  missions: MissionLine[];
  /** Why the fleet stands still; a part of it that is not known is an empty string. */
  halt: Halt | null;
  /** Parked jobs by what they wait for. `scope` is `batch`, `task` …; `name` the batch's. */
  parked: { scope: string; name: string | null; count: number }[];
  /** Failed jobs by reason, most first, of the newest `failedSampled` in each queue. */
  failed: { queue: QueueName; reason: string; count: number }[];
  failedSampled: number;
  /** Everything counted since the swarm began: recoveries, waits, quarantines. Zeros are left out. */
  counters: Record<string, number>;
  /** Calls killed before their answer was stored, at their reserved worst case. */
  uncertain: { callCount: number; todayNanoUsd: number };
  /** The UTC day's budget. `limitNanoUsd` null: none is set and no default was given. */
  budget: {
    day: string;
    limitNanoUsd: number | null;
    settledNanoUsd: number;
    reservedNanoUsd: number;
    uncertainNanoUsd: number;
  };
  /** Models that wait because their provider said so or fails, and for how long. */
  cooling: { model: string; forMs: number }[];
  /** Waiting tasks while no live worker exists. */
  tasksWithoutWorker: number;
  /** Waiting questions while no librarian is up, and missions while no coordinator is. */
  questionsWithoutLibrarian: number;
  missionsWithoutCoordinator: number;
}

/** A line below the status block. Terminal and dashboard show the same notices; a halt is shown apart from them. */
export interface Notice {
  /** What it is about: a page leaves out the kinds that it shows in full elsewhere. */
  kind:
    | 'paused'
    | 'unattended'
    | 'parked'
    | 'failed'
    | 'cooling'
    | 'archive'
    | 'counters'
    | 'uncertain'
    | 'budget'
    | 'external';
  level: 'info' | 'warning';
  /** One to three words, unique unless `command` differs. */
  label: string;
  /** One line, without control characters. */
  text: string;
  /** Command line that resolves it; a word in capitals stands for a name or an amount. */
  command?: string;
  /** What the command does, or what a person should know. The terminal prints it behind a command only. */
  hint?: string;
  /** The parts of `text`, where each has a command of its own. */
  items?: { text: string; command: string }[];
}
