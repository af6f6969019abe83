import { ErrorCode } from 'bullmq';

const NOT_HELD: ReadonlySet<unknown> = new Set([
  ErrorCode.JobNotExist,
  ErrorCode.JobLockNotExist,
  ErrorCode.JobNotInState,
  ErrorCode.JobLockMismatch,
]);

/**
 * Whether BullMQ refused to move a job because this process does not hold it. Another worker has it; or this process has moved
 * it already: the connection broke before the answer, and the client sent the command again.
 */
export function isNotHeld(thrown: unknown): boolean {
  return NOT_HELD.has(Reflect.get(Object(thrown), 'code'));
}
