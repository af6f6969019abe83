import { isIPv6 } from 'node:net';
import { domainToUnicode } from 'node:url';
import { ToolRefusal } from '../tool-refusal.ts';

/** @throws ToolRefusal for a URL that is not http(s), carries a password, or whose host is not allowed */
export function checkUrl(url: URL, allow: readonly string[]): void {
  if (!['http:', 'https:'].includes(url.protocol)) {
    throw new ToolRefusal(`http: expected an http or https address, got ${JSON.stringify(url.protocol)}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ToolRefusal('http: an address may not carry a user name or password; use a header');
  }
  if (isAllowed(url, allow)) return;
  throw new ToolRefusal(`http: ${showHost(url)}:${toPort(url)} is not allowed; allowed: ${allow.join(', ')}`);
}

/**
 * Whether an entry of the list allows the address. An entry is `host` (ports 80 and 443) or `host:port`; a name with letters of
 * other scripts and its ASCII form (`xn--…`) are the same name.
 */
function isAllowed(url: URL, allow: readonly string[]): boolean {
  const host = toHost(url);
  const port = toPort(url);
  const isUsualPort = url.port === '' || ['80', '443'].includes(url.port);
  return allow.some((entry) => {
    const allowed = parseEntry(entry);
    if (allowed === null || allowed.host !== host) return false;
    return allowed.port === null ? isUsualPort : allowed.port === port;
  });
}

/** @returns null for an entry that no address matches */
function parseEntry(entry: string): { host: string; port: number | null } | null {
  const bare = isIPv6(entry) ? `[${entry}]` : entry;
  const address = `http://${bare}`;
  if (/[/?#@\\]/.test(bare) || !URL.canParse(address)) return null;
  const port = /:(\d+)$/.exec(bare)?.[1];
  return { host: toHost(new URL(address)), port: port === undefined ? null : Number(port) };
}

/** Returns the host in ASCII and lower case, without brackets and final dot. */
export function toHost(url: URL): string {
  return url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

export function toPort(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/** The host as a person reads it. A name of other scripts comes with its ASCII form: letters that look alike may differ. */
function showHost(url: URL): string {
  const host = toHost(url);
  if (isIPv6(host)) return `[${host}]`;
  const readable = toReadableName(url);
  return readable === null ? host : `${readable} (${host})`;
}

/** The name of the host in its own script; null: it is ASCII anyway, or not valid. */
export function toReadableName(url: URL): string | null {
  const host = toHost(url);
  const readable = isIPv6(host) ? host : domainToUnicode(host);
  return readable === '' || readable === host ? null : readable;
}
