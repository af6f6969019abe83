import type { ChainLink } from '../../queues/origin.ts';
import type { TaskInput } from '../../queues/tasks.ts';

/** How often a rule may fire: for each finding, or for the first one of each hour or day (UTC). */
export const ONCE_PER = ['finding', 'hour', 'day'] as const;
export type OncePer = (typeof ONCE_PER)[number];

/** Which findings a rule is about: those that fit all that is set. At least one is set. Case counts, except in `grep`. */
export interface RuleMatch {
  /** One of the finding's topics. */
  topic?: string;
  /** The finding's kind: that of its task, or `archive`, `mission`, `paper`, `summary`, `survey`. */
  kind?: string;
  session?: string;
  /** Id of its mission. */
  mission?: string;
  /** A text that the finding contains, literally; case does not matter. */
  grep?: string;
  /** Worker that stored it; `haiku_box_*`: all whose id begins so. */
  from?: string;
  /** Name of another swarm, whose findings are watched instead of the own ones. Default: the own. */
  swarm?: string;
}

/** A rule as a caller gives it. */
export interface RuleInput {
  match: RuleMatch;
  /**
   * The task that it starts, or its description alone. In the description `{finding.id}`, `{finding.summary}`, `{finding.task}`,
   * `{finding.topics}`, `{finding.kind}`, `{finding.worker}` and `{finding.session}` stand for what the finding holds. The
   * whole finding is shown to the task, whether it is named or not.
   */
  task: string | TaskInput;
  /** What its tasks, and those that other rules start for their findings, may cost together, US dollars. Default: no limit of its own. */
  budgetUsd?: number;
  /** Most tasks a day (UTC). Findings beyond it are skipped and counted; `replay` takes them up. Default: no limit. */
  maxPerDay?: number;
  /** Most rules in a chain that ends with this one, 1 to 20: a deeper chain is parked. Default 1: no finding of a rule's task fires it. */
  maxDepth?: number;
  /** Default `finding`. */
  oncePer?: OncePer;
  /** Begins with the findings since then: `7d`, `12h`, or an instant (ISO 8601). Default: those from now on. */
  since?: string;
}

export interface AddRuleOptions {
  /** True: replaces a rule of this name; it keeps its place, its counts and what it has fired for. Default false. */
  replace?: boolean;
}

/** A rule as it is stored. */
export interface Rule {
  name: string;
  match: RuleMatch;
  task: TaskInput;
  maxPerDay: number | null;
  maxDepth: number;
  oncePer: OncePer;
  /** Name of the client that made it, and pays for its tasks. Null: no client. */
  client: string | null;
  /** UTC instant, ISO 8601. */
  createdAt: string;
}

/** A rule with what it has done. Money in nano-dollars. */
export interface RuleState extends Rule {
  /** `paused`: it misses nothing, and goes on from its place when it is resumed. */
  state: 'active' | 'paused';
  /** Why the fleet paused it, or what keeps it from working now. Null: nothing. */
  problem: string | null;
  /** Count of tasks that it started. */
  fired: number;
  firedToday: number;
  /** Findings that fit, for which it started no task: because of `maxPerDay`, or of `oncePer`. */
  skipped: { max: number; once: number };
  /** Count of its chains that are parked now. */
  parked: number;
  lastFinding: string | null;
  /** UTC instant, ISO 8601. */
  lastFiredAt: string | null;
  /** Whether it still looks through findings of before: since when (UTC instant, ISO 8601), and how many it has looked at. */
  catchingUp: { since: string; lookedAt: number } | null;
  /** Null: no limit of its own. */
  budgetNanoUsd: number | null;
  settledNanoUsd: number;
  reservedNanoUsd: number;
  uncertainNanoUsd: number;
}

/** Why a chain is parked: too deep, its budget is used up, or its task breaks a rule of tasks. */
export const PARK_REASONS = ['depth', 'budget', 'invalid'] as const;
export type ParkReason = (typeof PARK_REASONS)[number];

/** A task that a rule did not start, until a person releases or drops it. */
export interface ParkedChain {
  /** Id that its task has once it is released. */
  taskId: string;
  rule: string;
  finding: string;
  /** With the link that is parked, which is the last. */
  chain: ChainLink[];
  why: ParkReason;
  /** For people. */
  detail: string;
  /** UTC instant, ISO 8601. */
  parkedAt: string;
}

/** What a rule would do, or did, with one finding. */
export interface RuleTrial {
  finding: string;
  /** UTC instant, ISO 8601. */
  at: string;
  summary: string;
  /** `fires`: it would start, or started, the task; `known`: it has fired or parked a chain for it before. */
  outcome: 'fires' | 'known' | 'parked' | 'max' | 'once';
  taskId: string;
  /** Length of the chain. */
  depth: number;
  /** The description of its task. */
  description: string;
}

export interface PastOptions {
  /** As of a rule. Default: all findings. */
  since?: string;
  /** Most findings that fit, the oldest first: 1 to 10,000. Default 100. */
  limit?: number;
  /** Ends it between two pages. */
  signal?: AbortSignal;
}

/** What was found of the past. */
export interface PastReport {
  /** Count of findings that were looked at. */
  lookedAt: number;
  /** Those that fit, the oldest first. */
  trials: RuleTrial[];
  /** Whether `limit` ended it. */
  isCut: boolean;
}

/** Which parked chains. */
export type ChainSelection = { rule: string } | { taskIds: readonly string[] };

/** The rules of a swarm. */
export interface Rules {
  /**
   * Adds a rule. A rule that is the same already is returned as it is.
   * @throws UsageError for a name, match, task or number that breaks a rule, and for a name that is taken
   */
  add(name: string, input: RuleInput, options?: AddRuleOptions): Promise<RuleState>;
  /** By name. */
  list(): Promise<RuleState[]>;
  /** @throws NotFoundError */
  show(name: string): Promise<RuleState>;
  /** @throws NotFoundError */
  pause(name: string): Promise<RuleState>;
  /** Goes on from its place. @throws NotFoundError */
  resume(name: string): Promise<RuleState>;
  /** Ends the rule and drops its parked chains. Its tasks go on. @throws NotFoundError */
  remove(name: string): Promise<{ dropped: number }>;
  /** What the rule would do with findings of the past; writes nothing. @throws UsageError; NotFoundError for a name without rule */
  dryRun(rule: string | RuleInput, options?: PastOptions): Promise<PastReport>;
  /** Lets the rule look at findings of the past now, within its limits. A pair that fired fires no more. @throws NotFoundError */
  replay(name: string, options?: PastOptions): Promise<PastReport>;
  /** Parked chains, the oldest first. @param name of the rule; default: of all */
  parked(name?: string): Promise<ParkedChain[]>;
  /** Starts the tasks of parked chains, whatever their depth and budget. @returns how many */
  release(selection: ChainSelection): Promise<number>;
  /** Forgets parked chains. @returns how many */
  drop(selection: ChainSelection): Promise<number>;
}
