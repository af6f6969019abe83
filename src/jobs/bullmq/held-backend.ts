import type { BackendFactory, RedisQueueBackend } from 'bullmq';
import type { QueueHold } from './queue-hold.ts';

/** BullMQ's backend for a worker that takes no job while the queue is held, and looks again at intervals. */
export function holdBack(
  create: BackendFactory<RedisQueueBackend>,
  hold: Pick<QueueHold, 'remainingMs' | 'taken'>,
): BackendFactory<RedisQueueBackend> {
  return (...options) => {
    const backend = create(...options);
    const { moveToActive } = backend;
    return Object.assign(backend, {
      async moveToActive(...taking: Parameters<RedisQueueBackend['moveToActive']>) {
        const ms = await hold.remainingMs();
        if (ms > 0) return [null, '', ms, 0]; // as where BullMQ's own rate limit holds
        const answer = await moveToActive.call(backend, ...taking);
        const [job, jobId] = answer;
        if (job) hold.taken(jobId);
        return answer;
      },
    });
  };
}
