import { Router } from 'express';
import { z } from 'zod';
import type { Logger } from '../../src/process/logger.ts';
import { refuse } from '../access/request-checks.ts';
import { readQuery } from '../input/parse-query.ts';
import { createEventStreams } from './event-stream.ts';
import { toHead } from './head.ts';
import type { OverviewReads } from './read-overview.ts';

const fields = { of: z.enum(['head', 'overview'], 'expected head or overview').default('head') };

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
    const query = readQuery(fields, request, response);
    if (query === null) return;
    if (!streams.open(response, query.of))
      refuse(response, 503, 'events', 'too many pages follow the fleet; ask again');
  });
  return router;
}
