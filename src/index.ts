/** Public API for scripts: `import { connectFleet } from 'haiku-fleet'`. */
export { connectFleet, type FleetOptions } from './api/connect-fleet.ts';
export type { AddOptions, AskOptions, CostOptions, Fleet, FleetPatches, FleetTasks, QueryHandle } from './api/types.ts';
export type {
  AddMissionOptions,
  FleetMissions,
  MissionHandle,
  MissionStatus,
} from './coordinator/mission/handle-types.ts';
export type { MissionState, MissionStep } from './coordinator/mission/types.ts';
export type { MissionInput } from '../queues/missions.ts';
export type { ArchiveFilter } from '../queues/archive.ts';
export { defineTask, type TypedTask } from './api/define-task.ts';
export type { Enqueued, TaskEnd, TaskHandle, TaskState, WaitOptions } from './tasks/types.ts';
export type { BatchOptions, BatchProgress, BatchReport, BatchState, BatchTask } from './tasks/batch/types.ts';
export type {
  FindingQuery,
  FindOptions,
  FleetFindings,
  FollowOptions,
  FoundFinding,
  FoundFindings,
  StoredFinding,
} from './findings/types.ts';
export type { Finding } from './findings/finding.ts';
export type { PatchRecord, PatchSelection } from './patches/types.ts';
export type { ApplyOptions, PatchOutcome, PatchOutcomeKind, PatchReport } from './patches/apply/types.ts';
export type { WorktreeLine, WorktreeReport } from './patches/apply/clean/types.ts';
export { formatUsd } from './pricing/money.ts';
export { ExactNumber } from './text/json-values.ts';
export { REPORT_DIMENSIONS, type CostReport, type CostRow, type ReportDimension } from './ledger/report/types.ts';
export type { StatusSnapshot } from './status/types.ts';
export type { TaskInput } from '../queues/tasks.ts';
export {
  ConfigError,
  FleetError,
  JobFailedError,
  RedisUnusableError,
  ResultMismatchError,
  UsageError,
  WaitTimeoutError,
} from './errors.ts';
