import { json, Router, type Request, type RequestHandler } from 'express';
import { checkToken } from '../src/clients/clients.ts';
import type { Client } from '../src/clients/types.ts';
import type { Db } from '../src/redis/db.ts';
import type { Logger } from '../src/process/logger.ts';
import type { McpHttp } from '../src/mcp/http.ts';
import { createLoginThrottle } from './access/login-throttle.ts';
import { refuse } from './access/request-checks.ts';
import { withDeadline } from './deadline.ts';

/** A token is checked so long at most: in a burst of requests the process itself may be slow, which is no outage. */
const CHECK_MS = 10_000;
/** Longest request: as of an edit, some hundred tasks. */
const BODY_LIMIT = '1mb';
/** Most messages in one request. */
const MOST_MESSAGES = 20;

/**
 * Creates `/mcp`: MCP over streamable HTTP, for programs with a client's token. It needs no login of the dashboard, and the login
 * opens nothing here.
 */
export function createMcpRoute({ db, log, mcp }: { db: Db; log: Logger; mcp: McpHttp }): Router {
  const throttle = createLoginThrottle();

  const authenticate: RequestHandler = async (request, response, next) => {
    const token = readBearer(request);
    const verdict = token === null ? null : await withDeadline(checkToken(db, token), CHECK_MS);
    const client = verdict?.client ?? null;
    if (client === null) {
      const address = request.socket.remoteAddress ?? '';
      if (token !== null) {
        // A right token never waits: those who guess behind the same proxy slow down only each other.
        if (!(await throttle.turn(address))) {
          response.set('Retry-After', '5');
          return refuse(response, 429, 'token', 'too many wrong tokens from this address; try again in a few seconds');
        }
        throttle.failed(address);
        log.warn({ address }, 'mcp: token refused');
      }
      response.set('WWW-Authenticate', `Bearer realm="haiku-fleet"${token === null ? '' : ', error="invalid_token"'}`);
      const message =
        verdict?.problem ?? 'send the token of a client: Authorization: Bearer …; fleet token add NAME prints one';
      return refuse(response, 401, 'token', message);
    }
    response.locals['client'] = client;
    next();
  };

  const answer: RequestHandler = async (request, response) => {
    if (request.method !== 'POST') {
      response.set('Allow', 'POST');
      return refuse(
        response,
        405,
        'method',
        'expected POST: the server keeps no session and opens no stream of its own',
      );
    }
    const body: unknown = request.body;
    if (Array.isArray(body) && body.length > MOST_MESSAGES) {
      return refuse(response, 400, 'batch', `expected at most ${MOST_MESSAGES} messages, got ${body.length}`);
    }
    if (await mcp.handle(request, response, response.locals['client'] as Client, body)) return;
    response.set('Retry-After', '1');
    refuse(response, 429, 'busy', 'too many requests are under way; wait for some of them');
  };

  const router = Router();
  router.all('/mcp', authenticate, json({ limit: BODY_LIMIT }), answer);
  return router;
}

function readBearer(request: Request): string | null {
  return /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
}
