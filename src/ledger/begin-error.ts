import {
  CancelledError,
  HaltError,
  LockLostError,
  ModelCoolingError,
  TaskFailedError,
  type FleetError,
} from '../errors.ts';
import { toBudgetError } from './budget-error.ts';
import type { BeginAnswer, TaskIdentity } from './types.ts';

/** What the ledger's refusal of a paid call is thrown as. */
export function toBeginError(
  answer: Exclude<BeginAnswer, { kind: 'reserved' | 'replay' }>,
  identity: TaskIdentity,
): FleetError {
  switch (answer.kind) {
    case 'done': // whoever records a finding ends the job next: nothing is left to ask
    case 'lock-lost':
      return lockLost(identity.jobId);
    case 'taken':
      return new TaskFailedError(
        'finding-taken',
        `finding ${identity.findingId} already exists and belongs to something else`,
      );
    case 'cancelled':
      return new CancelledError('cancelled before its next call');
    case 'halted':
      return new HaltError(answer.reason);
    case 'cooling':
      return new ModelCoolingError(identity.model, answer.delayMs, `${identity.model} cools down`);
    case 'budget':
      return toBudgetError(answer);
  }
}

/** Another process has this job: change nothing more. */
export function lockLost(jobId: string): LockLostError {
  return new LockLostError(`another worker has job ${jobId}`);
}
