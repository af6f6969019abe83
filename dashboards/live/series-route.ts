import { Router } from 'express';
import { NANO_PER_USD } from '../../src/pricing/money.ts';
import type { Db } from '../../src/redis/db.ts';
import { readSeries } from '../../src/swarm/tallies/read-series.ts';
import { SPAN_NAMES, type SpanName } from '../../src/swarm/tallies/spans.ts';
import { refuse } from '../access/request-checks.ts';
import { createCachedRead, type CachedRead } from './cached-read.ts';

/** All pages share a read for so long. */
const KEPT_MS = 1_000;

export interface SeriesRouteOptions {
  db: Db;
  /** Rejects if Redis takes too long: no page waits for a frozen one. */
  inTime: <T>(work: Promise<T>) => Promise<T>;
}

/** Creates `/api/series`: how tasks ended, what models cost and how long tasks took, over a span until now. */
export function createSeriesRoute({ db, inTime }: SeriesRouteOptions): Router {
  const reads = new Map<unknown, CachedRead<object>>(
    SPAN_NAMES.map((name) => [name, createCachedRead(() => inTime(readSpan(db, name)), KEPT_MS)]),
  );
  const router = Router();
  router.get('/api/series', async (request, response) => {
    const cached = reads.get(request.query['span'] ?? SPAN_NAMES[0]);
    if (cached === undefined) return refuse(response, 400, 'query', `span: expected ${SPAN_NAMES.join(', ')}`);
    response.json(await cached.read());
  });
  return router;
}

async function readSpan(db: Db, span: SpanName): Promise<object> {
  const { nowMs, fromMs, stepMs, outcomes, nanoUsd, durationsMs, totals } = await readSeries(db, span);
  return {
    span,
    at: new Date(nowMs).toISOString(),
    from: new Date(fromMs).toISOString(),
    stepMs,
    outcomes,
    dollars: mapValues(nanoUsd, (values) => values.map((nano) => nano && nano / NANO_PER_USD)),
    durationsMs,
    totals: {
      outcomes: totals.outcomes,
      dollars: mapValues(totals.nanoUsd, (nano) => nano / NANO_PER_USD),
      durationsMs: totals.durationsMs,
    },
  };
}

function mapValues<From, To>(record: Record<string, From>, toValue: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, toValue(value)]));
}
