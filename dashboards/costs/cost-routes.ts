import { json, Router } from 'express';
import { z } from 'zod';
import { settleCalls, VERDICTS } from '../../src/coordinator/control/settle-calls.ts';
import { readHalt } from '../../src/halt/halt.ts';
import { toRules } from '../../src/jobs/contract.ts';
import { readWholeLedger, toCostReport } from '../../src/ledger/report/report.ts';
import { readUncertain } from '../../src/ledger/uncertain/list.ts';
import { readSettlements } from '../../src/ledger/uncertain/settle.ts';
import { catalogOf } from '../../src/pricing/catalog.ts';
import { currentUser } from '../../src/swarm/current-user.ts';
import { refuseRule } from '../access/refuse-rule.ts';
import { refuse } from '../access/request-checks.ts';
import { MOST_CALLS, toReport, toSettlements, toUncertain } from './cost-page.ts';
import { parseCostQuery } from './cost-query.ts';
import type { ListRouteParts } from '../input/list-route-parts.ts';

/** Settlements that the page shows. */
const MOST_SETTLEMENTS = 10;
/** Settlements that the fleet keeps. */
const KEPT_SETTLEMENTS = 1_000;
/** A ledger that takes longer to read is too long for a page. */
const LEDGER_TOO_LONG = 'the ledger took longer than 10 s to read: fleet costs reads all of it';

/** Of calls that never were, and of those whose replies came. */
const UNKNOWN = 'the cost of these calls is not uncertain; fleet costs --uncertain lists those of which it is';

/** Strict: what a page does not send is a mistake. */
const settlement = z.strictObject({
  /** Ids of the reservations. */
  calls: z.array(z.string().min(1).max(400)).min(1).max(MOST_CALLS),
  verdict: z.enum(VERDICTS),
  why: z.string().max(1_000).regex(/\S/, 'expected how you know, in words'),
});

/** Creates `/api/costs`: what was spent, beside what it saved, the calls of uncertain cost, and a person's word for what they cost. */
export function createCostRoutes({ db, queues, config, log, inTime, searchInTime }: ListRouteParts): Router {
  const router = Router();
  const catalog = catalogOf(config);

  router.get('/api/costs', async (request, response) => {
    await inTime(db.redis.ping()); // a Redis that does not answer is no long ledger
    try {
      const { by, only } = parseCostQuery(request.query);
      const sonnet = catalog.findPrices(config.FLEET_COORDINATOR_MODEL, db.clock.date());
      const read = await searchInTime(() =>
        Promise.all([readWholeLedger(db), readUncertain(db), readSettlements(db, MOST_SETTLEMENTS)]),
      );
      if (read === null) return refuse(response, 504, 'ledger', LEDGER_TOO_LONG);
      const [entries, calls, settlements] = read;
      response.json({
        ...toReport(toCostReport(entries, { by, sonnet, catalog, only })),
        only,
        uncertain: toUncertain(calls),
        settlements: toSettlements(settlements),
      });
    } catch (error) {
      refuseRule(response, error, { db, about: 'costs' });
    }
  });

  router.post('/api/costs/settle', json({ limit: '200kb' }), async (request, response) => {
    const body = settlement.safeParse(request.body);
    if (!body.success) return refuse(response, 400, 'body', toRules(body.error));
    const { calls: ids, verdict, why } = body.data;
    const wanted = new Set(ids);
    const calls = (await inTime(readUncertain(db))).filter(({ id }) => wanted.has(id));
    if (calls.length === 0) {
      const settlements = await inTime(readSettlements(db, KEPT_SETTLEMENTS));
      if (!settlements.some(({ call }) => wanted.has(call))) return refuse(response, 404, 'call', UNKNOWN);
    }
    const said = { verdict, why, by: `${currentUser()}, in the dashboard` };
    const { settled, nanoUsd, released } = await settleCalls({ db, queues }, calls, said);
    log.info({ verdict, calls: settled.map(({ id }) => id), released }, 'a person settled uncertain calls');
    response.json({
      verdict,
      settled: settled.length,
      /** Their cost is known by now: a reply came, or another person settled them. */
      known: wanted.size - settled.length,
      nanoUsd,
      released,
      isHalted: (await readHalt(db))?.reason === 'budget',
    });
  });

  return router;
}
