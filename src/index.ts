/** Public API for scripts: `import { connectFleet } from 'haiku-fleet'`. */
export { connectFleet, type Fleet, type FleetOptions, type AddOptions } from './connect-fleet.ts';
export { defineTask, type TypedTask } from './jobs/define-task.ts';
export type { TaskHandle } from './jobs/task-handle.ts';
export type { BatchOptions, BatchProgress, BatchReport } from './batches/add-batch.ts';
export type { FindingQuery, FindingStore } from './findings/store.ts';
export type { StoredFinding } from './findings/stored-finding.ts';
export type { Finding } from './findings/finding.ts';
export type { StatusSnapshot } from './status/snapshot-shape.ts';
export type { TaskInput } from '../queues/tasks.ts';
export { ConfigError, FleetError, JobFailedError, RedisUnusableError, UsageError } from './errors.ts';
