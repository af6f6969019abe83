import { Router } from 'express';
import { z } from 'zod';
import { NANO_PER_USD } from '../../src/pricing/money.ts';
import type { Db } from '../../src/redis/db.ts';
import { readSeries } from '../../src/swarm/tallies/read-series.ts';
import { SPAN_NAMES, type SpanName } from '../../src/swarm/tallies/spans.ts';
import { readQuery } from '../input/parse-query.ts';
import { createCachedRead, type CachedRead } from './cached-read.ts';

/** All pages share a read for so long. */
const KEPT_MS = 1_000;

const fields = { span: z.enum(SPAN_NAMES, `expected ${SPAN_NAMES.join(', ')}`).default('1h') };

export interface SeriesRouteOptions {
  db: Db;
  /** Rejects if Redis takes too long: no page waits for a frozen one. */
  inTime: <T>(work: Promise<T>) => Promise<T>;
}

/** Creates `/api/series`: how tasks ended, what models cost and how long tasks took, over a span until now. */
export function createSeriesRoute({ db, inTime }: SeriesRouteOptions): Router {
  const reads = new Map<SpanName, CachedRead<object>>(
    SPAN_NAMES.map((name) => [name, createCachedRead(() => inTime(readSpan(db, name)), KEPT_MS)]),
  );
  const router = Router();
  router.get('/api/series', async (request, response) => {
    const query = readQuery(fields, request, response);
    if (query !== null) response.json(await reads.get(query.span)?.read());
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
