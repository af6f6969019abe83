import { Router, type RequestHandler } from 'express';
import { z } from 'zod';
import { countToolErrors, isPartial } from '../src/findings/marks.ts';
import { createFindingStore } from '../src/findings/store.ts';
import { toSummary } from '../src/findings/stored.ts';
import { type StoredFinding } from '../src/findings/types.ts';
import { stringifyExact } from '../src/text/exact-json.ts';
import { toRules } from '../src/jobs/contract.ts';
import { adviceFor } from '../src/tasks/repair/advice.ts';
import { listNewestPatches } from '../src/patches/select.ts';
import { DEFAULT_BUDGET_NANO_USD } from '../src/ledger/budget.ts';
import { toNanoUsd } from '../src/pricing/money.ts';
import { describeCompaction } from '../src/status/read/compaction.ts';
import { delegationOf, totalNanoUsd } from '../src/status/read/delegation.ts';
import { noticesOf } from '../src/status/read/notices.ts';
import { choicesOf } from '../src/status/render/halt-choices.ts';
import { readStatus } from '../src/status/read/snapshot.ts';
import { REDIS_TIMEOUT_MS, withDeadline } from './deadline.ts';
import { checkHealth } from './health.ts';
import { renderMetrics } from './metrics.ts';
import { refuse } from './access/request-checks.ts';
import { createCachedRead } from './cached-read.ts';
import { toPatchRow } from './patches/describe-patch.ts';
import type { DashboardParts } from './types.ts';

const STATUS_KEPT_MS = 500;
/** Patches that the status page names. */
const PATCHES_NAMED = 5;

const listQuerySchema = z.object({
  limit: z.coerce
    .number('expected 1..200')
    .int('expected 1..200')
    .min(1, 'expected 1..200')
    .max(200, 'expected 1..200')
    .default(50),
  text: z.string().max(200).optional(),
  session: z.string().max(200).optional(),
  batch: z.string().max(200).optional(),
});

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

/** Creates `/api/status`, `/api/findings` and `/metrics`: JSON and text for pages and programs. */
export function createApi({ db, queues, config }: DashboardParts): Router {
  const findings = createFindingStore(db);
  const allQueues = Object.values(queues);
  const defaultDayLimitNanoUsd =
    config.FLEET_BUDGET_USD === undefined ? DEFAULT_BUDGET_NANO_USD : toNanoUsd(config.FLEET_BUDGET_USD);
  const readCached = createCachedRead(
    () =>
      withDeadline(
        readStatus(db, {
          shards: config.shards,
          sonnetModel: config.FLEET_SONNET_MODEL,
          defaultDayLimitNanoUsd,
        }),
        REDIS_TIMEOUT_MS,
      ),
    STATUS_KEPT_MS,
  );

  const readPatches = createCachedRead(
    () => withDeadline(listNewestPatches(db, PATCHES_NAMED), REDIS_TIMEOUT_MS),
    STATUS_KEPT_MS,
  );

  const router = Router();
  router.get('/api/status', async (_request, response) => {
    const [snapshot, newest] = await Promise.all([readCached(), readPatches()]);
    response.json({
      ...snapshot,
      failed: snapshot.failed.map((group) => ({
        ...group,
        repair: adviceFor(group.reason, {
          isQuestion: group.queue === 'archive',
          isMission: group.queue === 'missions',
        }),
      })),
      totalNanoUsd: totalNanoUsd(snapshot),
      delegation: delegationOf(snapshot),
      choices: snapshot.halt === null ? [] : choicesOf(snapshot.halt),
      archiveNotice: describeCompaction(snapshot),
      notices: noticesOf(snapshot),
      newestPatches: newest.map(toPatchRow),
    });
  });
  router.get('/metrics', async (_request, response) => {
    const text = await withDeadline(renderMetrics(await readCached(), allQueues), REDIS_TIMEOUT_MS);
    response.type('text/plain; version=0.0.4; charset=utf-8').send(text);
  });
  router.get('/api/findings', async (request, response) => {
    const query = listQuerySchema.safeParse(request.query);
    if (!query.success) return refuse(response, 400, 'query', toRules(query.error));
    const { text = '', ...rest } = query.data;
    const found = await findings.list({ ...rest, ...(text.trim() === '' ? {} : { text: text.trim() }) });
    response.json({ findings: found.map((finding) => toRow(finding)) });
  });
  router.get('/api/findings/:id', async (request, response) => {
    const finding = await withDeadline(findings.get(request.params.id), REDIS_TIMEOUT_MS);
    if (finding === null) return refuse(response, 404, 'finding', 'there is no finding of this id');
    response.type('json').send(stringifyExact({ ...finding, result_text: toShown(finding.result) }));
  });
  return router;
}

/** A result as a page shows it: a browser would round the numbers of its JSON. */
function toShown(result: unknown): string {
  return typeof result === 'string' ? result : stringifyExact(result ?? null, 2);
}

function toRow(finding: StoredFinding) {
  const {
    finding_id: id,
    at,
    kind = null,
    cost = null,
    worker_id: workerId = null,
    job_id: jobId = null,
    model = null,
  } = finding;
  return {
    id,
    at,
    kind,
    costUsd: cost,
    workerId,
    jobId,
    model,
    session: finding.session ?? null,
    status: finding.status ?? null,
    isPartial: isPartial(finding),
    toolErrors: countToolErrors(finding),
    summary: toSummary(finding),
    patchState: typeof finding.patch?.state === 'string' ? finding.patch.state : null,
  };
}
