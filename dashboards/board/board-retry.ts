import { Router, type Response } from 'express';
import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import { FleetError } from '../../src/errors.ts';
import type { Db } from '../../src/redis/db.ts';
import { toVisible } from '../access/visible-text.ts';
import type { createJobChanges } from '../jobs/change-jobs.ts';
import { findJob, toQueueName } from './find-job.ts';

const NONE_FAILED =
  'none has failed; those that a person cancelled are retried one by one, or with: fleet retry --reason cancelled';

export interface BoardRetryOptions {
  db: Db;
  queues: Record<QueueName, Queue>;
  /** Its actor is who the audit says has retried. */
  changes: Pick<ReturnType<typeof createJobChanges>, 'retry' | 'retryAll'>;
}

/**
 * Creates the retries of Bull Board, in its place: BullMQ's own retry knows no batch, no mark of a cancelled job and no audit. They are
 * those of `fleet retry`. Mount it before Bull Board.
 */
export function createBoardRetry({ db, queues, changes }: BoardRetryOptions): Router {
  const router = Router();

  router.put('/api/queues/:queueName/retry/:queueStatus', async ({ params }, response) => {
    const name = toQueueName(params.queueName);
    if (name === null) return refuse(response, 404, 'no such queue');
    if (params.queueStatus !== 'failed') return refuse(response, 409, 'only failed jobs can be retried');
    await inRules(response, db, async () => {
      const { done, refused } = await changes.retryAll(name);
      const [first] = refused;
      if (first !== undefined) {
        return refuse(response, 409, `${done.length} retried, ${refused.length} not: ${first.message}`);
      }
      if (done.length === 0) return refuse(response, 409, NONE_FAILED);
      response.json({ retried: done.length, skipped: 0 }); // the page would say of skipped ones that their data is lost
    });
  });

  router.put('/api/queues/:queueName/:jobId/retry', async ({ params }, response) => {
    const job = await findJob(queues, params);
    if (job === null) return refuse(response, 404, 'no such job');
    await inRules(response, db, async () => {
      const { refused } = await changes.retry({ ids: [job.id ?? ''], dryRun: false });
      const [first] = refused;
      if (first !== undefined) return refuse(response, 409, first.message);
      response.status(204).end();
    });
  });

  return router;
}

/** Answers with the rule that a retry breaks. @throws what is no rule of the fleet, and every error while Redis is away */
async function inRules(response: Response, db: Db, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof FleetError) || db.redis.status !== 'ready') throw error;
    refuse(response, 409, toVisible(error.message));
  }
}

/** As Bull Board's page reads it. */
function refuse(response: Response, status: 404 | 409, message: string): void {
  response.status(status).json({ error: { key: 'ERRORS.FORBIDDEN' }, message });
}
