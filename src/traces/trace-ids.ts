import { createHash } from 'node:crypto';

/**
 * Ids by what they are of: every process finds the same ones, also for a mission that has not ended, and a span that is sent twice is
 * the same span. 16 and 8 bytes in hex: https://www.w3.org/TR/trace-context/#traceparent-header-field-values
 */
export function toTraceId(swarm: string, rootJobId: string): string {
  return digest(`trace|${swarm}|${rootJobId}`).slice(0, 32);
}

/** @param part of the job: empty is the job itself */
export function toSpanId(swarm: string, jobId: string, part = ''): string {
  return digest(`span|${swarm}|${jobId}|${part}`).slice(0, 16);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
