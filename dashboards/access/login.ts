import { readFileSync } from 'node:fs';
import { Router, json, urlencoded, type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import type { Logger } from '../../src/process/logger.ts';
import { createLoginThrottle } from './login-throttle.ts';
import { refuse } from './request-checks.ts';
import { createSessions } from './sessions.ts';

export interface Login {
  /** `/login` and `/logout`. Mounted before the guard. */
  routes: Router;
  /** Accepts a session or HTTP basic authentication. Redirects a browser without one to the login page. */
  guard: RequestHandler;
}

const formSchema = z.object({ user: z.string(), password: z.string(), next: z.string().optional() });
const page = readFileSync(new URL('../pages/login.html', import.meta.url), 'utf8');

/** Creates the login: a page with a signed cookie for people, HTTP basic authentication for scripts. */
export function createLogin(credentials: { user: string; password: string }, log: Logger): Login {
  const sessions = createSessions(credentials);
  const throttle = createLoginThrottle();

  /** Returns whether the credentials are right; a number: the ms to wait before they may be checked. */
  function check(request: Request, user: string, password: string): boolean | number {
    const address = request.socket.remoteAddress ?? '';
    const waitMs = throttle.waitMs(address);
    if (waitMs > 0) return waitMs;
    if (sessions.accepts(user, password)) {
      throttle.succeeded(address);
      return true;
    }
    throttle.failed(address);
    log.warn({ address }, 'dashboard: login refused');
    return false;
  }

  const routes = Router();
  routes.get('/login', (request, response) => {
    if (sessions.isValid(readCookie(request))) return response.redirect(303, safeTarget(request.query['next']));
    sendPage(response, 200, '', safeTarget(request.query['next']));
  });
  routes.post(
    '/login',
    json({ limit: '10kb' }),
    urlencoded({ extended: false, limit: '10kb' }),
    (request: Request, response: Response) => {
      const { user, password, next } = formSchema.safeParse(request.body).data ?? { user: '', password: '' };
      const wantsJson = request.is('application/json') !== false;
      const verdict = check(request, user, password);
      if (verdict === true) {
        setCookie(request, response, sessions.issue(), sessions.lifetimeMs);
        return wantsJson ? response.status(204).end() : response.redirect(303, safeTarget(next));
      }
      const message = verdict === false ? 'User or password is wrong.' : waitText(response, verdict);
      const status = verdict === false ? 401 : 429;
      return wantsJson
        ? refuse(response, status, 'login', message)
        : sendPage(response, status, message, safeTarget(next));
    },
  );
  routes.post('/logout', (request, response) => {
    setCookie(request, response, '', 0);
    response.status(204).end();
  });

  const guard: RequestHandler = (request, response, next) => {
    if (sessions.isValid(readCookie(request))) return next();
    const basic = readBasic(request);
    if (basic !== null) {
      const verdict = check(request, basic.user, basic.password);
      if (verdict === true) return next();
      if (verdict !== false) return refuse(response, 429, 'login', waitText(response, verdict));
    } else if (request.method === 'GET' && request.accepts(['json', 'html']) === 'html') {
      return response.redirect(303, `/login?next=${encodeURIComponent(safeTarget(request.originalUrl))}`);
    }
    // Not for a page's own request: the browser would open its own password dialog over the page.
    if (request.headers['sec-fetch-site'] === undefined) response.set('WWW-Authenticate', 'Basic realm="haiku-fleet"');
    refuse(response, 401, 'login', 'log in at /login, or send user and password by HTTP basic authentication');
  };
  return { routes, guard };
}

function waitText(response: Response, waitMs: number): string {
  const seconds = Math.ceil(waitMs / 1_000);
  response.set('Retry-After', String(seconds));
  return `Too many wrong passwords; wait ${seconds} s.`;
}

function sendPage(response: Response, status: number, message: string, next: string): void {
  const html = page.replace('{{message}}', message).replace('{{next}}', () => encodeHtml(next));
  response.status(status).set('Cache-Control', 'no-store').type('html').send(html);
}

/** The name holds the port, because cookies ignore it: two fleets on one machine must not end each other's sessions. */
function cookieName(request: Request): string {
  return `fleet_session_${request.socket.localPort ?? 0}`;
}

function setCookie(request: Request, response: Response, value: string, maxAge: number): void {
  response.cookie(cookieName(request), value, { httpOnly: true, sameSite: 'strict', path: '/', maxAge });
}

function readCookie(request: Request): string | undefined {
  const prefix = `${cookieName(request)}=`;
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length);
}

function readBasic(request: Request): { user: string; password: string } | null {
  const encoded = /^basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Returns the path if it is one of this dashboard, else `/`. `//site` and `/\site` would lead to another site. */
function safeTarget(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])[\x21-\x7e]*$/.test(next) && !next.startsWith('/login') ? next : '/';
}

function encodeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
