import { fileURLToPath } from 'node:url';
import express, { json, type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Redis } from 'ioredis';
import type { Config } from '../src/config/environment.ts';
import { redisAddress } from '../src/redis/connect.ts';
import { createSessionReader } from '../src/swarm/session.ts';
import { createApi, createHealthRoute } from './api.ts';
import { REDIS_TIMEOUT_MS, withDeadline } from './deadline.ts';
import { createBoard } from './board/board.ts';
import { createJobChecks } from './board/job-edits.ts';
import { createLogin } from './access/login.ts';
import { checkChange, checkHost, refuse } from './access/request-checks.ts';
import { requireSafeAddress, securityHeaders } from './access/security.ts';
import { createPageAssets } from './page-assets.ts';
import { createPatchRoutes } from './patches/patch-routes.ts';
import { stripWebFonts } from './board/strip-web-fonts.ts';
import type { DashboardParts } from './types.ts';

const BOARD = '/queues';
const PAGES = fileURLToPath(new URL('pages', import.meta.url));
/** Longest body. An edit holds one task, and a task has at most 256 kB. */
const BODY_LIMIT = '1mb';

/**
 * Builds the dashboard as an Express app. The caller makes it listen.
 * @throws ConfigError if the network could reach it without a password
 */
export function buildApp(parts: DashboardParts): Express {
  const { db, config, queues, log } = parts;
  const { redis } = db;
  requireSafeAddress(config);
  const app = frame(config);
  app.get('/healthz', createHealthRoute(parts));
  app.use('/assets', createPageAssets());
  const { DASHBOARD_PASSWORD: password, DASHBOARD_USER: user } = config;
  if (password !== undefined) {
    const login = createLogin({ user, password }, log);
    app.use(login.routes, login.guard);
  }
  for (const [path, page] of Object.entries({
    '/': 'status.html',
    '/findings': 'findings.html',
    '/findings/:id': 'finding.html',
    '/patches/:id': 'patch.html',
  })) {
    app.get(path, (_request, response) => response.sendFile(page, { root: PAGES, cacheControl: false }));
  }
  app.get('/api/login', (_request, response) => response.json({ required: password !== undefined }));
  app.use(requireRedis(redis, config.REDIS_URL));
  app.use(createApi(parts));
  app.use(createPatchRoutes({ ...parts, inTime: (work) => withDeadline(work, REDIS_TIMEOUT_MS) }));
  const checks = createJobChecks(db, Object.keys(config.FLEET_WORKSPACES));
  const session = createSessionReader(db);
  app.use(BOARD, stripWebFonts, json({ limit: BODY_LIMIT }), createBoard(BOARD, { db, queues, checks, session, log }));
  app.use((_request, response) => refuse(response, 404, 'path', 'there is nothing under this address'));
  app.use(answerErrors(parts));
  return app;
}

/** Builds the app that answers until Redis was reached for the first time. */
export function buildWaitingApp(config: Config): Express {
  requireSafeAddress(config);
  const app = frame(config);
  app.use((_request, response) => sendRedisAway(response, config.REDIS_URL));
  return app;
}

function frame(config: Config): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(checkHost(config.DASHBOARD_HOST), securityHeaders(BOARD), checkChange(['/login']));
  return app;
}

function requireRedis(redis: Redis, url: string): RequestHandler {
  return (_request, response, next) => (redis.status === 'ready' ? next() : sendRedisAway(response, url));
}

function sendRedisAway(response: Parameters<RequestHandler>[1], url: string): void {
  response.set('Retry-After', '2');
  refuse(
    response,
    503,
    'redis',
    `Redis is not reachable at ${redisAddress(url)}; the dashboard goes on when it is back`,
  );
}

/** The message of an error may quote the request: it goes to the log, not to the page. */
function answerErrors({ db: { redis }, log, config }: DashboardParts): ErrorRequestHandler {
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
      return sendRedisAway(response, config.REDIS_URL);
    }
    refuse(response, 500, 'internal', 'the request failed; the dashboard log says why');
  };
}

/** Returns the status of errors of Express and body-parser; 500 for others. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 600 ? status : 500;
}
