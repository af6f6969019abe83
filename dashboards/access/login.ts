import { Router, json, urlencoded, type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import type { Logger } from '../../src/process/logger.ts';
import { encodeHtml } from './encode-html.ts';
import type { LoggedOut } from './logged-out.ts';
import { createLoginThrottle } from './login-throttle.ts';
import { withoutPrefix, type PublicAddress } from './public-address.ts';
import { isSameHost, refuse, wantsPage } from './request-checks.ts';
import { admit, readSession, toLogins, type Credentials, type RoleLogin, type RoleSession } from './roles.ts';

export interface Login {
  /** `/login` and `/logout`. Mounted before the guard. */
  routes: Router;
  /**
   * Accepts a session or HTTP basic authentication, and keeps its role in `response.locals.role`. Redirects a browser without one
   * to the login page.
   */
  guard: RequestHandler;
}

export interface LoginParts {
  credentials: Credentials;
  shown: PublicAddress;
  loggedOut: LoggedOut;
  /** The login page, with places for the message and the address to go on to. */
  page: string;
  log: Logger;
}

type Cookie = 'session' | 'known';

/** A browser from which a person has logged in is known for so long: tries of others behind the same proxy do not delay its own. */
const KNOWN_MS = 180 * 24 * 60 * 60_000;
const TOO_MANY = 'Too many wrong passwords from this address; try again in a few seconds.';

const formSchema = z.object({ user: z.string(), password: z.string(), next: z.string().optional() });

/** Creates the login: a page with a signed cookie for people, HTTP basic authentication for scripts. */
export function createLogin({ credentials, shown, loggedOut, page, log }: LoginParts): Login {
  const logins = toLogins(credentials);
  const throttle = createLoginThrottle();

  /** The session of a request, unless its person has logged out. */
  async function findSession(request: Request): Promise<RoleSession | null> {
    const session = readSession(logins, readCookie(request, 'session'));
    return session === null || (await loggedOut.includes(session)) ? null : session;
  }

  /** Returns whose credentials they are, null: no login has them; `too-many`: they were not checked. */
  async function check(request: Request, user: string, password: string): Promise<RoleLogin | null | 'too-many'> {
    const address = request.socket.remoteAddress ?? '';
    const known = readCookie(request, 'known');
    const client = logins.map(({ sessions }) => sessions.readKnown(known)).find((name) => name !== null) ?? address;
    if (!(await throttle.turn(client))) return 'too-many';
    const [login = null] = logins.filter(({ sessions }) => sessions.accepts(user, password)); // all: it takes the same time
    if (login !== null) {
      throttle.succeeded(client);
      return login;
    }
    throttle.failed(client);
    log.warn({ address }, 'dashboard: login refused');
    return null;
  }

  function sendPage(response: Response, status: number, message: string, next: string): void {
    const html = page.replace('{{message}}', message).replace('{{next}}', () => encodeHtml(next));
    response.status(status).set('Cache-Control', 'no-store').type('html').send(html);
  }

  /** Returns a path of this dashboard, without the prefix, else `/`. `//site` and `/\site` would lead to another site. */
  function safeTarget(next: unknown): string {
    const path = typeof next === 'string' ? withoutPrefix(next, shown.prefix) : '/';
    return /^\/(?![/\\])[\x21-\x7e]*$/.test(path) && !path.startsWith('/login') ? path : '/';
  }

  /** Under the proxy's path; for its protocol, unless a browser names an address of this dashboard without the proxy. */
  function setCookie(request: Request, response: Response, kind: Cookie, value: string, maxAge: number): void {
    const { origin, host } = request.headers;
    const isDirect =
      shown.origin === null || (origin !== shown.origin && origin !== undefined && isSameHost(origin, host));
    const secure = !isDirect && shown.origin?.startsWith('https:') === true;
    const path = isDirect || shown.prefix === '' ? '/' : shown.prefix;
    response.cookie(cookieName(request, kind), value, { httpOnly: true, sameSite: 'strict', path, maxAge, secure });
  }

  const routes = Router();
  routes.get('/login', async (request, response) => {
    const target = safeTarget(request.query['next']);
    if ((await findSession(request)) !== null) return response.redirect(303, shown.prefix + target);
    sendPage(response, 200, '', target);
  });
  routes.post(
    '/login',
    json({ limit: '10kb' }),
    urlencoded({ extended: false, limit: '10kb' }),
    async (request: Request, response: Response) => {
      const { user, password, next } = formSchema.safeParse(request.body).data ?? { user: '', password: '' };
      const wantsJson = request.is('application/json') !== false;
      const verdict = await check(request, user, password);
      if (verdict !== null && verdict !== 'too-many') {
        const { sessions } = verdict;
        setCookie(request, response, 'session', sessions.issue(), sessions.lifetimeMs);
        setCookie(request, response, 'known', sessions.issueKnown(), KNOWN_MS);
        return wantsJson ? response.status(204).end() : response.redirect(303, shown.prefix + safeTarget(next));
      }
      const [status, message] = verdict === null ? [401, 'User or password is wrong.'] : [429, TOO_MANY];
      if (status === 429) response.set('Retry-After', '5');
      return wantsJson
        ? refuse(response, status, 'login', message)
        : sendPage(response, status, message, safeTarget(next));
    },
  );
  routes.post('/logout', async (request, response) => {
    const session = readSession(logins, readCookie(request, 'session'));
    setCookie(request, response, 'session', '', 0);
    if (session !== null) {
      await loggedOut
        .add(session)
        .catch((error: unknown) => log.warn({ error }, 'dashboard: a log-out is stored later'));
    }
    response.status(204).end();
  });

  const guard: RequestHandler = async (request, response, next) => {
    const session = await findSession(request);
    if (session !== null) return admit(response, next, session.role);
    const basic = readBasic(request);
    if (basic !== null) {
      const verdict = await check(request, basic.user, basic.password);
      if (verdict === 'too-many') {
        response.set('Retry-After', '5');
        return refuse(response, 429, 'login', TOO_MANY);
      }
      if (verdict !== null) return admit(response, next, verdict.role);
    } else if (wantsPage(request)) {
      return response.redirect(303, `${shown.prefix}/login?next=${encodeURIComponent(safeTarget(request.url))}`);
    }
    // Not for a page's own request: the browser would open its own password dialog over the page.
    if (request.headers['sec-fetch-site'] === undefined) response.set('WWW-Authenticate', 'Basic realm="haiku-fleet"');
    refuse(response, 401, 'login', 'log in at /login, or send user and password by HTTP basic authentication');
  };
  return { routes, guard };
}

/** The name holds the port, because cookies ignore it: two fleets on one machine must not end each other's sessions. */
function cookieName(request: Request, kind: Cookie): string {
  return `fleet_${kind}_${request.socket.localPort ?? 0}`;
}

function readCookie(request: Request, kind: Cookie): string | undefined {
  const prefix = `${cookieName(request, kind)}=`;
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
