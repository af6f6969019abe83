import type { RequestHandler } from 'express';

/** The address under which a proxy shows the dashboard, in parts. */
export interface PublicAddress {
  /** As a browser names it, `https://fleet.example.org`; null: there is no proxy. */
  origin: string | null;
  /** Its name without port, lower case; null: there is no proxy. */
  name: string | null;
  /** Begins with a slash and ends without one; empty: the dashboard has no path. All links begin with it. */
  prefix: string;
}

/** @param url DASHBOARD_PUBLIC_URL */
export function toPublicAddress(url: string | undefined): PublicAddress {
  if (url === undefined) return { origin: null, name: null, prefix: '' };
  const { origin, hostname, pathname } = new URL(url);
  return { origin, name: hostname.replace(/^\[(.*)\]$/, '$1'), prefix: pathname.replace(/\/+$/, '') };
}

/** Removes the prefix from a request's path, for a proxy that leaves it there. A proxy may remove it itself. */
export function removePrefix(prefix: string): RequestHandler {
  return (request, _response, next) => {
    request.url = withoutPrefix(request.url, prefix);
    next();
  };
}

/** @param path with or without the prefix, and perhaps with a query */
export function withoutPrefix(path: string, prefix: string): string {
  if (prefix === '' || !path.startsWith(prefix)) return path;
  const rest = path.slice(prefix.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : path;
}
