import { QUERY_PREFIX } from '../../../queues/ids.ts';

/**
 * What a person can do about jobs that failed for this reason: a command line, or words before one. `fleet` and the
 * dashboard show the same.
 * @param of `id` of one of them, if known; `batch` if only its tasks are meant
 */
export function adviceFor(
  reason: string,
  of: { id?: string; batch?: string; isQuestion?: boolean; isMission?: boolean } = {},
): string {
  const { id = 'ID', batch, isQuestion = id.startsWith(QUERY_PREFIX) } = of;
  if (of.isMission === true) {
    return reason === 'quorum' ? `fleet retry its failed tasks, then fleet retry ${id}` : `fleet retry ${id}`;
  }
  if (isQuestion) return `fleet retry ${id}, or ask anew`;
  const all = `fleet retry ${batch === undefined ? '' : `--batch ${batch} `}--reason ${reason}`;
  switch (reason) {
    case 'handed-back':
      return `${all} --model claude-sonnet-5-5`;
    case 'step-limit':
      return `${all} --max-turns 60, or --append "what makes it smaller"`;
    case 'refusal':
    case 'tool':
      return `${all} --append "what helps it"`;
    case 'schema':
      return `${all} --append "Answer with JSON that fits the schema"`;
    case 'workspace':
      return `FLEET_WORKSPACES in .env, fleet reload, then ${all}`;
    case 'conflict':
      return `fleet apply or fleet discard one of the patches that it names, then fleet retry ${id}`;
    case 'context':
      return `fleet context load NAME FILE, then ${all}`;
    case 'outside':
    case 'too-long':
      return `${all} --append "what makes it smaller"`;
    case 'timeout':
      return `${all} --effort low; or FLEET_CALL_TIMEOUT_MS in .env, fleet reload, then ${all}`;
    case 'model':
      return `${all} --model claude-haiku-5-5`;
    case 'invalid-job':
    case 'finding-taken':
      return `fleet retry ${id} --data FILE`;
    case 'error':
      return `fleet retry ${id}, and report what it says`;
    default:
      return all;
  }
}
