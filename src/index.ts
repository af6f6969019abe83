/** Public API for scripts: `import { connectFleet } from 'haiku-fleet'`. */
export { connectFleet, type FleetOptions } from './api/connect-fleet.ts';
export type {
  AddOptions,
  AskOptions,
  BudgetReport,
  CostOptions,
  Fleet,
  FleetBudget,
  FleetContexts,
  FleetPatches,
  FleetRules,
  FleetSession,
  FleetTasks,
  QueryHandle,
} from './api/types.ts';
export type { AuditEntry, AuditFields, AuditOptions, AuditValue, AuditVerb } from './audit/types.ts';
export type { ContextInfo, StoredContext } from './contexts/types.ts';
export type { Halt } from './halt/types.ts';
export type { BudgetScope } from './ledger/budget-types.ts';
export type { JobFilter, JobListOptions, ListedJob, ListedState } from './jobs/find/types.ts';
export type { SessionState } from './swarm/types.ts';
export type {
  FailedFilter,
  FailedGroup,
  FailedJob,
  FailedKind,
  FailuresOptions,
  RetryHow,
  RetryReport,
  RetrySelection,
} from './tasks/repair/types.ts';
export type {
  AddMissionOptions,
  FleetMissions,
  MissionHandle,
  MissionStatus,
} from './coordinator/mission/handle-types.ts';
export type {
  AnsweredMission,
  MissionDecision,
  ParkedMission,
  ResumedMission,
  ReviewedPlan,
  ReviewedTask,
  RunPlan,
  RunPlanOptions,
} from './coordinator/mission/review-types.ts';
export type { Plan, PlanNode } from './coordinator/plan/plan.ts';
export type { MissionForecast } from './coordinator/plan/types.ts';
export type { MissionState, MissionStep } from './coordinator/mission/types.ts';
export type { MissionInput } from '../queues/missions.ts';
export type { ArchiveFilter } from '../queues/archive.ts';
export { defineTask, type TypedTask } from './api/given/define-task.ts';
export type {
  CancelReport,
  CancelSelection,
  Enqueued,
  TaskEnd,
  TaskHandle,
  TaskState,
  WaitOptions,
} from './tasks/types.ts';
export type {
  BatchListOptions,
  BatchOptions,
  BatchPace,
  BatchProgress,
  BatchReport,
  BatchState,
  BatchSummary,
  BatchTask,
} from './tasks/batch/types.ts';
export type {
  FindingQuery,
  FindOptions,
  FleetFindings,
  FollowOptions,
  FoundFinding,
  FoundFindings,
  StoredFinding,
} from './findings/types.ts';
export type { ActivityEvent, ActivityOptions } from './swarm/types.ts';
export type { RunEntry } from './run-record/types.ts';
export type { JobDetails, JobReport, TimelineOptions } from './timeline/types.ts';
export type { Finding } from './findings/finding.ts';
export type { PatchRecord, PatchSelection } from './patches/types.ts';
export type { ApplyOptions, PatchOutcome, PatchOutcomeKind, PatchReport } from './patches/apply/types.ts';
export type { WorktreeLine, WorktreeReport } from './patches/apply/clean/types.ts';
export type {
  Claim,
  ClaimOptions,
  FleetOutside,
  LeaseRef,
  OutsideTask,
  RenewOptions,
  ReportAnswer,
  ReportOptions,
} from './outside/types.ts';
export type {
  AddRuleOptions,
  ChainSelection,
  ParkedChain,
  PastOptions,
  PastReport,
  RuleInput,
  RuleMatch,
  RuleState,
  RuleTrial,
} from './rules/types.ts';
export { formatUsd } from './pricing/money.ts';
export { ExactNumber } from './text/json-values.ts';
export {
  REPORT_DIMENSIONS,
  type CostReport,
  type CostRow,
  type ReportDimension,
  type SessionSummary,
} from './ledger/report/types.ts';
export type { ShardState, StatusSnapshot } from './status/types.ts';
export type { TaskInput } from '../queues/tasks.ts';
export {
  ConfigError,
  FleetError,
  JobFailedError,
  NotFoundError,
  LeaseLostError,
  RedisUnusableError,
  ResultMismatchError,
  UsageError,
  WaitTimeoutError,
} from './errors.ts';
