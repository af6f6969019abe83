import type { z } from 'zod';
import { queueRegistry, type QueueJobName, type QueueName } from '../../queues/registry.ts';
import { toMessage, UsageError } from '../errors.ts';
import { toRules } from './contract.ts';

/** Largest payload as JSON, bytes: Redis, the page and every worker carry it whole. Larger material belongs into a file. */
const MAX_INPUT_BYTES = 256 * 1024;

/**
 * Checks what is to be enqueued against its queue's contract, strictly: an unknown key, queue or job name is an error.
 * @throws UsageError naming the field, the rule and what to do
 */
export function checkInput<Name extends QueueName>(
  queue: Name,
  jobName: QueueJobName<Name>,
  input: unknown,
): z.output<(typeof queueRegistry)[Name]['input']> {
  assertQueueName(queue);
  const definition = queueRegistry[queue];
  if (jobName !== definition.jobName) {
    throw new UsageError(
      `job name: expected ${JSON.stringify(definition.jobName)} in queue ${queue}, got ${JSON.stringify(jobName)}`,
    );
  }
  const bytes = Buffer.byteLength(toJson(jobName, input));
  if (bytes > MAX_INPUT_BYTES) {
    throw new UsageError(
      `${jobName}: expected at most ${MAX_INPUT_BYTES / 1024} kB as JSON, got ${Math.ceil(bytes / 1024)} kB; put the material into a file of the workspace and name it in "files"`,
    );
  }
  const parsed = definition.input.safeParse(input);
  if (!parsed.success) throw new UsageError(`${jobName}: ${toRules(parsed.error)}`);
  return parsed.data as z.output<(typeof queueRegistry)[Name]['input']>;
}

/** For callers no compiler watches. @throws UsageError */
export function assertQueueName(name: string): void {
  if (Object.hasOwn(queueRegistry, name)) return;
  throw new UsageError(`queue: expected ${Object.keys(queueRegistry).join(', ')}, got ${JSON.stringify(name)}`);
}

/** Nothing that is no JSON comes further: a value that refers to itself would never end being checked. */
function toJson(jobName: string, input: unknown): string {
  try {
    return JSON.stringify(input) ?? '';
  } catch (error) {
    throw new UsageError(`${jobName}: cannot be written as JSON (${toMessage(error).split('\n')[0]})`, {
      cause: error,
    });
  }
}
