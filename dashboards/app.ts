import express, { json, type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { actingAs } from '../src/audit/note-change.ts';
import type { Config } from '../src/config/environment.ts';
import { redisAddress } from '../src/config/redis-url.ts';
import { createSessionReader } from '../src/swarm/session.ts';
import { createApi, createHealthRoute } from './api.ts';
import { REDIS_TIMEOUT_MS, searchInTime, withDeadline } from './deadline.ts';
import { createBoard } from './board/board.ts';
import { createBoardRetry } from './board/board-retry.ts';
import { dressBoardPage } from './board/board-page.ts';
import { createJobChecks } from './board/job-edits.ts';
import { encodeHtml } from './access/encode-html.ts';
import { createLoggedOut } from './access/logged-out.ts';
import { createLogin } from './access/login.ts';
import { removePrefix, toPublicAddress, type PublicAddress } from './access/public-address.ts';
import { checkChange, checkHost, refuse, wantsPage } from './access/request-checks.ts';
import { refuseReaders, roleOf } from './access/roles.ts';
import { requireSafeAddress, securityHeaders } from './access/security.ts';
import { toPageActor } from './audit/page-actor.ts';
import { createAuditRoutes } from './audit/audit-routes.ts';
import { createArchiveRoutes } from './archive/archive-routes.ts';
import { createBatchRoutes } from './batches/batch-routes.ts';
import { createCostRoutes } from './costs/cost-routes.ts';
import { createJobChanges } from './jobs/change-jobs.ts';
import { createJobRoutes } from './jobs/job-routes.ts';
import { createFleetRoutes } from './live/fleet-routes.ts';
import { createLiveRoutes } from './live/live-routes.ts';
import { createOverviewReads } from './live/read-overview.ts';
import { createSeriesRoute } from './live/series-route.ts';
import { createMcpRoute } from './mcp.ts';
import { createPageAssets } from './page-assets.ts';
import { readPage, renderHead, renderMissing, renderPages } from './pages.ts';
import { createMissionRoutes } from './missions/mission-routes.ts';
import { createPatchRoutes } from './patches/patch-routes.ts';
import { createRuleRoutes } from './rules/rule-routes.ts';
import type { DashboardParts } from './types.ts';
import { createWorkerRoutes } from './workers/worker-routes.ts';
import { toConfigured } from '../src/tasks/known-names.ts';

const BOARD = '/queues';
/** Longest body. An edit holds one task, and a task has at most 256 kB. */
const BODY_LIMIT = '1mb';

const inTime = <T>(work: Promise<T>): Promise<T> => withDeadline(work, REDIS_TIMEOUT_MS);

/**
 * Builds the dashboard as an Express app. The caller makes it listen.
 * @throws ConfigError if the network could reach it without a password
 */
export function buildApp(given: DashboardParts): Express {
  const db = actingAs(given.db, toPageActor(given));
  const parts = { ...given, db };
  const { config, queues, log } = parts;
  const { redis } = db;
  requireSafeAddress(config);
  const shown = toPublicAddress(config.DASHBOARD_PUBLIC_URL);
  const away = createAwayAnswer(config, shown);
  const app = frame(config, shown);
  app.get('/healthz', createHealthRoute(parts));
  app.use('/assets', createPageAssets());
  app.use('/mcp', (request, response, next) => (redis.status === 'ready' ? next() : away(request, response)));
  app.use(createMcpRoute(parts));
  const { DASHBOARD_PASSWORD: password, DASHBOARD_READ_PASSWORD: readPassword, DASHBOARD_USER: user } = config;
  if (password !== undefined) {
    const login = createLogin({
      credentials: { user, password, readPassword },
      shown,
      loggedOut: createLoggedOut(db, inTime),
      page: readPage('login.html', shown.prefix),
      log,
    });
    app.use(login.routes, login.guard, refuseReaders);
  }
  for (const [path, html] of renderPages(shown.prefix)) app.get(path, createPageAnswer(html));
  app.get('/api/login', (_request, response) =>
    response.json({ required: password !== undefined, role: roleOf(response) }),
  );
  app.use((request, response, next) => (redis.status === 'ready' ? next() : away(request, response)));
  const reads = createOverviewReads({ db, config, inTime });
  app.use((request, response, next) => {
    if (request.method !== 'GET') response.once('prefinish', reads.forget); // the page that made the change reads next
    next();
  });
  app.use(createLiveRoutes({ reads, log }));
  app.use(createSeriesRoute({ db, inTime }));
  app.use(createFleetRoutes({ db, queues, config, log }));
  app.use(createApi({ ...parts, reads }));
  app.use(createPatchRoutes({ ...parts, inTime }));
  app.use(createMissionRoutes({ ...parts, inTime }));
  app.use(createJobRoutes({ ...parts, inTime, searchInTime }));
  app.use(createRuleRoutes({ ...parts, inTime }));
  app.use(createArchiveRoutes({ ...parts, inTime, searchInTime }));
  app.use(createBatchRoutes({ ...parts, inTime, searchInTime }));
  app.use(createWorkerRoutes({ ...parts, inTime }));
  app.use(createCostRoutes({ ...parts, inTime, searchInTime }));
  app.use(createAuditRoutes({ ...parts, inTime }));
  const checks = createJobChecks(db, toConfigured(config));
  const session = createSessionReader(db);
  const boardDb = actingAs(db, { ...toPageActor(parts), from: 'bull-board' });
  const boardOptions = {
    db: boardDb,
    queues,
    checks,
    session,
    log,
  };
  const board = createBoard(shown.prefix, BOARD, boardOptions);
  const readBoard = createBoard(shown.prefix, BOARD, { ...boardOptions, readOnly: true });
  const dress = dressBoardPage({ prefix: shown.prefix, head: renderHead(shown.prefix, BOARD) });
  const boardChanges = createJobChanges({ db: boardDb, queues, config });
  app.use(BOARD, createBoardRetry({ db: boardDb, queues, changes: boardChanges }));
  app.use(BOARD, dress, json({ limit: BODY_LIMIT }), (request, response, next) =>
    (roleOf(response) === 'read' ? readBoard : board)(request, response, next),
  );
  const missing = createPageAnswer(renderMissing(shown.prefix));
  app.use((request, response) => {
    if (!wantsPage(request)) return refuse(response, 404, 'path', 'there is nothing under this address');
    missing(request, response.status(404).set('Cache-Control', 'no-store'));
  });
  app.use(answerErrors(parts, away));
  return app;
}

/** Builds the app that answers until Redis was reached for the first time. @param problem why it was not, so far */
export function buildWaitingApp(config: Config, problem: () => string | null): Express {
  requireSafeAddress(config);
  const shown = toPublicAddress(config.DASHBOARD_PUBLIC_URL);
  const app = frame(config, shown);
  app.use('/assets', createPageAssets());
  app.use(createAwayAnswer(config, shown, problem));
  return app;
}

function frame(config: Config, shown: PublicAddress): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(removePrefix(shown.prefix));
  app.use(checkHost(config.DASHBOARD_HOST, shown), securityHeaders(BOARD), checkChange(['/login'], shown));
  return app;
}

/** Answers with a page, marked for those who may only read. */
function createPageAnswer(html: string): (request: Request, response: Response) => void {
  const forReaders = html.replace('<html ', '<html data-role="read" ');
  return (_request, response) => {
    response.type('html').send(roleOf(response) === 'read' ? forReaders : html);
  };
}

type AwayAnswer = (request: Request, response: Response) => void;

/**
 * Answers that Redis is away: a browser gets a page that loads itself again, a program JSON.
 * @param problem why, if it is known
 */
function createAwayAnswer(
  { REDIS_URL: url }: Config,
  shown: PublicAddress,
  problem: () => string | null = () => null,
): AwayAnswer {
  const page = readPage('away.html', shown.prefix);
  return (request, response) => {
    const why = problem() ?? `Redis is not reachable at ${redisAddress(url)}`;
    const message = `${why}; the dashboard tries again until it is`;
    response.set('Retry-After', '2');
    if (!wantsPage(request)) return refuse(response, 503, 'redis', message);
    const html = page.replace('{{message}}', () => encodeHtml(message));
    response.status(503).set('Cache-Control', 'no-store').type('html').send(html);
  };
}

/** The message of an error may quote the request: it goes to the log, not to the page. */
function answerErrors({ db: { redis }, log }: DashboardParts, away: AwayAnswer): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const status = statusOf(error);
    if (status < 500)
      return refuse(
        response,
        status,
        'request',
        status === 413 ? 'the request is too large' : 'the request cannot be read',
      );
    log.warn({ error, path: request.path }, 'dashboard: request failed');
    if (
      redis.status !== 'ready' ||
      /no answer within|Connection is closed|writeable|max retries/i.test(String(error))
    ) {
      return away(request, response);
    }
    refuse(response, 500, 'internal', 'the request failed; the dashboard log says why');
  };
}

/** Returns the status of errors of Express and body-parser; 500 for others. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 600 ? status : 500;
}
