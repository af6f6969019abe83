import { hostname } from 'node:os';
import { isIP } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';

/** Whether an address to listen on can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/**
 * Refuses a `Host` that is not this dashboard's own. A web page can point its own name at 127.0.0.1 (DNS rebinding) and
 * would then count as same-origin; an address in numbers cannot be pointed anywhere.
 * @param listenHost DASHBOARD_HOST
 */
export function checkHost(listenHost: string): RequestHandler {
  const names = new Set([listenHost.toLowerCase(), hostname().toLowerCase(), 'localhost']);
  return (request, response, next) => {
    const name = hostOf(request.headers.host);
    const own = name !== null && (names.has(name) || isLoopback(name) || (!isLoopback(listenHost) && isIP(name) !== 0));
    if (own) return next();
    refuse(response, 403, 'host', 'this name is not one of the dashboard; use the address it listens on');
  };
}

/**
 * Every change must come from the dashboard's own pages or from a program: a browser says where a request comes from
 * (`Origin`, `Sec-Fetch-Site`), and a page of another site cannot send JSON without asking first.
 */
export function checkChange(formPaths: readonly string[]): RequestHandler {
  return (request, response, next) => {
    if (['GET', 'HEAD', 'OPTIONS'].includes(request.method)) return next();
    const { origin, 'sec-fetch-site': site, host } = request.headers;
    if ((site !== undefined && site !== 'same-origin') || (origin !== undefined && !isSameHost(origin, host))) {
      return refuse(response, 403, 'cross-site', 'a change must come from the dashboard itself');
    }
    if (!hasAcceptedType(request, formPaths)) {
      return refuse(response, 415, 'content-type', 'a change must be sent as application/json');
    }
    next();
  };
}

export function refuse(response: Response, status: number, error: string, message: string): void {
  response.status(status).set('Cache-Control', 'no-store').json({ error, message });
}

/** A form can be sent by any page: only where a path says so. PUT and PATCH without a body carry no type. */
function hasAcceptedType(request: Request, formPaths: readonly string[]): boolean {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return true;
  if (type === 'application/x-www-form-urlencoded') return formPaths.includes(request.path);
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  return type === undefined && !hasBody && request.method !== 'POST';
}

function isSameHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

/** The name in a Host header, without port and brackets; null where there is none. */
function hostOf(header: string | undefined): string | null {
  if (header === undefined || !/^[a-z0-9.:_[\]-]+$/i.test(header)) return null;
  return header
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}
