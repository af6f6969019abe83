import type { BackendFactory, RedisQueueBackend } from 'bullmq';
import type { QueueHold } from './queue-hold.ts';

/** BullMQ's backend for a worker that takes no job while the queue is held, and looks again at intervals. */
export function holdBack(
  create: BackendFactory<RedisQueueBackend>,
  hold: Pick<QueueHold, 'remainingMs'>,
): BackendFactory<RedisQueueBackend> {
  return (...options) => {
    const backend = create(...options);
    const { moveToActive } = backend;
    return Object.assign(backend, {
      async moveToActive(...taking: Parameters<RedisQueueBackend['moveToActive']>) {
        const ms = await hold.remainingMs();
        return ms > 0 ? [null, '', ms, 0] : moveToActive.call(backend, ...taking); // as where BullMQ's own rate limit holds
      },
    });
  };
}
