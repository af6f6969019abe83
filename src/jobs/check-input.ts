import type { z } from 'zod';
import { queueRegistry, type QueueJobName, type QueueName } from '../../queues/registry.ts';
import { toMessage, UsageError } from '../errors.ts';
import { DEEPEST_RULE, isTooDeep } from '../text/json-depth.ts';
import { toRules } from './contract.ts';

/** Largest payload as JSON, bytes. Redis, pages and workers hold it whole; larger material belongs into a file. */
const MAX_INPUT_BYTES = 256 * 1024;

/**
 * Checks what is to be enqueued against its queue's contract, strictly: an unknown key, queue or job name is an error.
 * All input passes here, from scripts, commands, pages and the coordinator.
 * @param what names the input in messages; default: the job name; null: only the field is named
 * @throws UsageError naming the field, the rule and what to do
 */
export function checkInput<Name extends QueueName>(
  queue: Name,
  jobName: QueueJobName<Name>,
  input: unknown,
  what: string | null = jobName,
): z.output<(typeof queueRegistry)[Name]['input']> {
  assertQueueName(queue);
  const definition = queueRegistry[queue];
  if (jobName !== definition.jobName) {
    throw new UsageError(
      `job name: expected ${JSON.stringify(definition.jobName)} in queue ${queue}, got ${JSON.stringify(jobName)}`,
    );
  }
  const prefix = what === null ? '' : `${what}: `;
  const json = toJson(prefix, input);
  const bytes = Buffer.byteLength(json);
  if (isTooDeep(json)) throw new UsageError(`${prefix}${DEEPEST_RULE}; write deep material as a text`);
  // A question's own rules allow far less, and their message fits a question.
  if (bytes > MAX_INPUT_BYTES && queue !== 'archive') {
    throw new UsageError(
      `${prefix}expected at most ${MAX_INPUT_BYTES / 1024} kB as JSON, got ${Math.ceil(bytes / 1024)} kB; put the material into a file of the workspace and name it in "files"`,
    );
  }
  const parsed = definition.input.safeParse(input);
  if (!parsed.success) throw new UsageError(`${prefix}${toRules(parsed.error)}`);
  return parsed.data as z.output<(typeof queueRegistry)[Name]['input']>;
}

/** For callers without a compiler. @throws UsageError */
export function assertQueueName(name: string): void {
  if (Object.hasOwn(queueRegistry, name)) return;
  throw new UsageError(`queue: expected ${Object.keys(queueRegistry).join(', ')}, got ${JSON.stringify(name)}`);
}

/** Refuses what is no JSON first: the check of a value that refers to itself would never end. */
function toJson(prefix: string, input: unknown): string {
  try {
    return JSON.stringify(input) ?? '';
  } catch (error) {
    throw new UsageError(`${prefix}cannot be written as JSON (${toMessage(error).split('\n')[0]})`, {
      cause: error,
    });
  }
}
