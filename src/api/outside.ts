import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import type { OutsideParts } from '../outside/parts.ts';
import type { FleetOutside } from '../outside/types.ts';
import { assertGiven, assertOptions } from './given/options.ts';

const REF = ['taskId', 'lease'];

/** Creates the `outside` of a connected fleet. A process that claims no task loads none of its code. */
export function createFleetOutside(parts: OutsideParts & { redisUrl: string }): FleetOutside {
  const inFleet = <T>(name: string, options: unknown, known: string[], work: () => Promise<T>): Promise<T> => {
    assertGiven(`outside.${name}`, options);
    assertOptions(`outside.${name}`, options, known);
    return withRedisErrors(parts.redisUrl, work);
  };
  return {
    claim: async (options) =>
      inFleet('claim', options, ['as', 'leaseMs', 'task', 'kind', 'batch', 'shard', 'onNone'], async () => {
        const { claimTask } = await import('../outside/claim.ts');
        return claimTask(parts, options);
      }),
    renew: async (options) =>
      inFleet('renew', options, [...REF, 'forMs'], async () => {
        const { renewLease } = await import('../outside/lease.ts');
        return renewLease(parts, options);
      }),
    report: async (options) =>
      inFleet('report', options, [...REF, 'result', 'files', 'citations', 'tokens', 'costUsd'], async () => {
        const { reportTask } = await import('../outside/report.ts');
        return reportTask(parts, options);
      }),
    release: async (options) =>
      inFleet('release', options, REF, async () => {
        const { releaseTask } = await import('../outside/lease.ts');
        return releaseTask(parts, options);
      }),
    fail: async (options) =>
      inFleet('fail', options, [...REF, 'why'], async () => {
        const { failTask } = await import('../outside/lease.ts');
        return failTask(parts, options);
      }),
  };
}
