import type { Job } from 'bullmq';
import type { z } from 'zod';
import type { QueueDefinition } from '../../queues/define.ts';
import { InvalidJobError } from '../errors.ts';
import { startOf } from '../text/start-of.ts';
import { DEEPEST_RULE, isValueTooDeep } from '../text/json-depth.ts';

/**
 * Checks the name and the data of a job, which any program may have added. Unknown keys are ignored.
 * @throws InvalidJobError with the broken rule
 */
export function parseJob<Data extends z.ZodObject>(
  definition: QueueDefinition<string, string, z.ZodObject, Data>,
  job: Pick<Job, 'name' | 'data'>,
): z.output<Data> {
  if (job.name !== definition.jobName) {
    throw new InvalidJobError(
      `name: expected ${JSON.stringify(definition.jobName)} in queue ${definition.name}, got ${JSON.stringify(job.name)}`,
    );
  }
  if (typeof job.data === 'string')
    throw new InvalidJobError(`data: expected an object, got the text ${JSON.stringify(startOf(job.data, 300))}`);
  if (isValueTooDeep(job.data)) throw new InvalidJobError(`data: ${DEEPEST_RULE}`);
  const parsed = definition.data.safeParse(job.data);
  if (!parsed.success) throw new InvalidJobError(`data: ${toRules(parsed.error)}`);
  return parsed.data;
}

/** `files.0: expected string, received number; …`, at most five rules. */
export function toRules(error: z.ZodError): string {
  const rules = error.issues.slice(0, 5).map((issue) => {
    const path = issue.path.join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  const more = error.issues.length - rules.length;
  return more > 0 ? `${rules.join('; ')}; and ${more} more` : rules.join('; ');
}
