import { Router } from 'express';
import { readVersion } from '../../src/config/package-folder.ts';
import { readJobPage } from '../../src/jobs/find/list-jobs.ts';
import type { Db } from '../../src/redis/db.ts';
import { readStatus } from '../../src/status/read/snapshot.ts';
import { readAttendants } from '../../src/swarm/presence.ts';
import { toWorkersPage } from './worker-page.ts';

/** Running jobs whose age the page tells. */
const MOST_RUNNING = 1_000;

export interface WorkerRoutesOptions {
  db: Db;
  /** Rejects if Redis takes too long: no page waits for a frozen one. */
  inTime: <T>(work: Promise<T>) => Promise<T>;
}

/** Creates `/api/workers`: each live process, what it holds and for how long, and which need a person. */
export function createWorkerRoutes({ db, inTime }: WorkerRoutesOptions): Router {
  const version = readVersion();
  const router = Router();

  async function read() {
    const [status, attendants, { jobs }] = await Promise.all([
      readStatus(db, {}),
      readAttendants(db),
      readJobPage(db, { state: 'running' }, { limit: MOST_RUNNING }),
    ]);
    return toWorkersPage({ status, attendants, running: jobs, version });
  }

  router.get('/api/workers', async (_request, response) => {
    response.json(await inTime(read()));
  });
  return router;
}
