import type { Job, Worker } from 'bullmq';
import { noticeBatchEnd } from './lifecycle.ts';
import { toMessage } from '../../errors.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import type { Notifier } from '../../swarm/notify.ts';

/** Announces to `FLEET_NOTIFY` quarantined jobs, and batches whose last task ended in this process. */
export function announceEnds(
  worker: Worker,
  parts: { db: Db; notifier: Notifier; workerId: string; log: Pick<Logger, 'warn'> },
): void {
  const { db, notifier, workerId, log } = parts;

  function onEnd(job: Job): void {
    const batch: unknown = Reflect.get(Object(job.data), 'batch');
    if (typeof batch !== 'string') return;
    noticeBatchEnd(db, batch, notifier).catch((error: unknown) =>
      log.warn({ batch, reason: toMessage(error) }, 'the end of the batch was not looked for'),
    );
  }

  worker.on('completed', (job) => onEnd(job));
  worker.on('failed', (job, error) => {
    if (job === undefined) return;
    if (error.message.startsWith('quarantined:')) {
      const jobId = job.id ?? '';
      const mark = `quarantine:${jobId}:${job.attemptsMade}`;
      notifier.notify(mark, { event: 'quarantine', job_id: jobId, worker_id: workerId, detail: error.message });
    }
    onEnd(job);
  });
}
