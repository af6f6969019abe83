import { countOf } from '../../../text/plural.ts';
import { cancelBatch } from '../../../tasks/batch/cancel.ts';
import { cancelChildren } from '../../../coordinator/mission/children.ts';
import { UsageError } from '../../../errors.ts';
import { cancelJobs } from '../../../tasks/cancel.ts';
import { assertBatch } from '../../../tasks/batch/progress.ts';
import { findQueueOfJob } from '../../../jobs/queue-of-job.ts';
import { withFleet } from '../../input/with-fleet.ts';

/** Does `fleet cancel`. */
export async function runCancelCommand(ids: string[], { batch }: { batch?: string }): Promise<void> {
  if ((ids.length === 0) === (batch === undefined)) throw new UsageError('cancel: expected job ids, or --batch');
  await withFleet(async ({ inner: { db, queues } }) => {
    if (batch === undefined) {
      for (const id of new Set(ids)) {
        const queue = await findQueueOfJob({ db, queues }, id);
        await cancelJobs(db, queue, [id]);
        if (queue === queues.missions) await cancelChildren({ db, queues }, id);
      }
      return console.log(`Cancelled ${ids.join(', ')}.`);
    }
    await assertBatch(db, batch);
    const { showProgress } = await import('../../output/progress.ts');
    const progress = showProgress('Cancelling', 0, 'lines');
    const count = await cancelBatch(db, queues.tasks, batch, (done, total) => {
      progress.setTotal(total);
      progress.update(done);
    });
    progress.stop();
    console.log(
      count === 0
        ? `Nothing to cancel: every task of batch ${batch} has ended.`
        : `Cancelled ${countOf(count, 'task')} of batch ${batch}; those that wait end as soon as a worker takes them.`,
    );
  });
}
