import { hostname } from 'node:os';
import { isIP } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';
import type { PublicAddress } from './public-address.ts';

/** Whether only this machine can reach an address that the dashboard listens on. */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/**
 * Refuses a `Host` that is not one of this dashboard. A web page can make its own name resolve to 127.0.0.1 (DNS rebinding)
 * and would then count as same-origin. A numeric address cannot be rebound.
 * @param listenHost DASHBOARD_HOST
 * @param shown the address of a proxy, which may keep its own name in `Host` or write the dashboard's
 */
export function checkHost(listenHost: string, shown: PublicAddress): RequestHandler {
  const names = new Set([listenHost.toLowerCase(), hostname().toLowerCase(), 'localhost', shown.name]);
  return (request, response, next) => {
    const name = hostOf(request.headers.host);
    const own = name !== null && (names.has(name) || isLoopback(name) || (!isLoopback(listenHost) && isIP(name) !== 0));
    if (own) return next();
    refuse(response, 403, 'host', 'this name is not one of the dashboard; use the address it listens on');
  };
}

/**
 * Refuses a change unless it comes from the dashboard's own pages or from a program. A browser names the origin of a request
 * (`Origin`, `Sec-Fetch-Site`), and a page of another site cannot send JSON without a preflight request. What a proxy adds
 * (`X-Forwarded-*`) is not read: anyone can send it.
 * @param formPaths paths that also accept a form
 */
export function checkChange(formPaths: readonly string[], shown: PublicAddress): RequestHandler {
  return (request, response, next) => {
    if (['GET', 'HEAD', 'OPTIONS'].includes(request.method)) return next();
    const { origin, 'sec-fetch-site': site, host } = request.headers;
    if ((site !== undefined && site !== 'same-origin') || (origin !== undefined && !isOwnOrigin(origin, host, shown))) {
      return refuse(response, 403, 'cross-site', 'a change must come from the dashboard itself');
    }
    if (!hasAcceptedType(request, formPaths)) {
      return refuse(response, 415, 'content-type', 'a change must be sent as application/json');
    }
    next();
  };
}

/** Whether a browser navigates to a page. */
export function wantsPage(request: Request): boolean {
  return request.method === 'GET' && request.accepts(['json', 'html']) === 'html';
}

export function refuse(response: Response, status: number, error: string, message: string): void {
  response.status(status).set('Cache-Control', 'no-store').json({ error, message });
}

/** Any page can send a form, so only `formPaths` accept one. PUT and PATCH without a body have no type. */
function hasAcceptedType(request: Request, formPaths: readonly string[]): boolean {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return true;
  if (type === 'application/x-www-form-urlencoded') return formPaths.includes(request.path);
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  return type === undefined && !hasBody && request.method !== 'POST';
}

/** That of the proxy, or that of the request itself. Under the proxy's name only its whole origin counts, with protocol and port. */
function isOwnOrigin(origin: string, host: string | undefined, shown: PublicAddress): boolean {
  if (origin === shown.origin) return true;
  const isOfProxy = shown.name !== null && hostOf(host) === shown.name && !isLoopback(shown.name);
  return !isOfProxy && isSameHost(origin, host);
}

/** Whether a browser reads a page from the very address that it sent the request to. */
export function isSameHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

/** Returns the name in a Host header, without port and brackets; null: there is none. */
function hostOf(header: string | undefined): string | null {
  if (header === undefined || !/^[a-z0-9.:_[\]-]+$/i.test(header)) return null;
  return header
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}
