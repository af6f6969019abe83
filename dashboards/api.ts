import { Router, type RequestHandler } from 'express';
import { z } from 'zod';
import { createFindingStore } from '../src/findings/store.ts';
import { type StoredFinding } from '../src/findings/types.ts';
import { stringifyExact } from '../src/text/exact-json.ts';
import { SwarmRefusedError } from '../src/errors.ts';
import { withOtherSwarms } from '../src/other-swarms/across.ts';
import { parseForeignId } from '../src/other-swarms/foreign-id.ts';
import { REDIS_TIMEOUT_MS, SearchTooLongError, withDeadline, withSearchDeadline } from './deadline.ts';
import { checkHealth } from './health.ts';
import { renderMetrics } from './metrics/render-metrics.ts';
import { refuse } from './access/request-checks.ts';
import { limitField, readQuery } from './input/parse-query.ts';
import { toFindingRow } from './live/finding-row.ts';
import { toResultText } from './live/result-text.ts';
import type { OverviewReads } from './live/read-overview.ts';
import type { DashboardParts } from './types.ts';

const SEARCH_TOO_LONG =
  'the search took longer than 10 s: name a session or a batch in the address, or search with fleet findings --grep';

const listQuery = {
  limit: limitField(50),
  text: z.string().max(200).optional(),
  session: z.string().max(200).optional(),
  batch: z.string().max(200).optional(),
};

/** `/healthz`: needs no login, and reports only whether a write to Redis works. */
export function createHealthRoute({ db, log }: DashboardParts): RequestHandler {
  return async (_request, response) => {
    try {
      response.json({ ok: true, ...(await withDeadline(checkHealth(db), REDIS_TIMEOUT_MS)) });
    } catch (error) {
      log.warn({ error }, 'dashboard: health check failed');
      response.status(503).json({ ok: false, error: 'Redis cannot be written to' });
    }
  };
}

/** Creates `/api/findings` and `/metrics`: JSON and text for pages and programs. */
export function createApi({ db, queues, others, reads }: DashboardParts & { reads: OverviewReads }): Router {
  const findings = createFindingStore(db);
  const across = withOtherSwarms(findings, others);
  const allQueues = Object.values(queues);

  /** Another swarm's answer has its own longest time: its Redis that does not answer is not this one's. */
  async function readOne(id: string): Promise<StoredFinding | SwarmRefusedError | null> {
    const foreign = parseForeignId(id);
    const isRead = foreign !== null && others.names().includes(foreign.swarm);
    try {
      return await (isRead ? across.get(id) : withDeadline(across.get(id), REDIS_TIMEOUT_MS));
    } catch (error) {
      if (error instanceof SwarmRefusedError) return error;
      throw error;
    }
  }

  const router = Router();
  router.get('/metrics', async (_request, response) => {
    const text = await withDeadline(renderMetrics(db, await reads.snapshot(), allQueues), REDIS_TIMEOUT_MS);
    response.type('text/plain; version=0.0.4; charset=utf-8').send(text);
  });
  router.get('/api/findings', async (request, response) => {
    const query = readQuery(listQuery, request, response);
    if (query === null) return;
    const { text = '', ...rest } = query;
    const wanted = { ...rest, ...(text.trim() === '' ? {} : { text: text.trim() }) };
    await withDeadline(db.redis.ping(), REDIS_TIMEOUT_MS); // a Redis that does not answer is no long search
    try {
      const found = await withSearchDeadline((signal) => findings.list({ ...wanted, signal }));
      response.json({ findings: found.map(toFindingRow) });
    } catch (error) {
      if (!(error instanceof SearchTooLongError)) throw error;
      refuse(response, 504, 'search', SEARCH_TOO_LONG);
    }
  });
  // Some proxies decode the slash of `ops%2Ffinding_1`.
  router.get(['/api/findings/:id', '/api/findings/:swarm/:id'], async (request, response) => {
    const { swarm, id } = request.params as { swarm?: string; id: string };
    const finding = await readOne(swarm === undefined ? id : `${swarm}/${id}`);
    if (finding instanceof SwarmRefusedError) return refuse(response, 403, 'swarm', finding.message);
    if (finding === null) return refuse(response, 404, 'finding', 'there is no finding of this id');
    const { text, isJson } = toResultText(finding.result);
    response.type('json').send(stringifyExact({ ...finding, result_text: text, result_is_json: isJson }));
  });
  return router;
}
