import { Router } from 'express';
import type { Logger } from '../../src/process/logger.ts';
import { refuse } from '../access/request-checks.ts';
import { createEventStreams } from './event-stream.ts';
import { toHead } from './head.ts';
import type { OverviewReads } from './read-overview.ts';

/**
 * Creates `/api/status` and `/api/head`: the state of the fleet, and the part of it that the header of each page shows; and
 * `/api/events`, which sends them as they change: `?of=head` (the default) or `?of=overview`.
 */
export function createLiveRoutes({ reads, log }: { reads: OverviewReads; log: Logger }): Router {
  const streams = createEventStreams({ reads, log });
  const router = Router();
  router.get('/api/status', async (_request, response) => response.json(await reads.overview()));
  router.get('/api/head', async (_request, response) => response.json(toHead(await reads.snapshot())));
  router.get('/api/events', (request, response) => {
    const { of = 'head' } = request.query;
    if (of !== 'head' && of !== 'overview') return refuse(response, 400, 'query', 'of: expected head or overview');
    if (!streams.open(response, of)) refuse(response, 503, 'events', 'too many pages follow the fleet; ask again');
  });
  return router;
}
