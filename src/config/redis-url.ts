import { z } from 'zod';
import { toMessage } from '../errors.ts';
import { namesSeveral, readRedisUrl, REDIS_PROTOCOLS } from './redis-servers.ts';

/** An address whose parts are where they belong: no piece of a password can be taken for a host. */
const WELL_FORMED = /^[a-z+]+:\/\/(?:[^/?#]*@)?([^/?#@\s]*[^/?#@\s:])(?:\/[^?#@]*)?(?:\?[^#@]*)?$/i;

/**
 * `host:port` of a Redis URL, several separated by commas; never its user or password. A URL that is not well formed shows nothing of
 * itself.
 */
export function redisAddress(url: string): string {
  if (namesSeveral(url)) return showSeveral(url);
  const authority = WELL_FORMED.exec(url)?.[1];
  if (authority === undefined) return 'the address in REDIS_URL';
  return /:\d+$/.test(authority) ? authority : `${authority}:6379`;
}

/** The host of a Redis URL, for messages. */
export function redisHost(url: string): string {
  return redisAddress(url).replace(/:\d+$/, '');
}

/** The files of certificates that a Redis URL names: `rediss://host?ca=/path/ca.pem&cert=…&key=…`. Paths. */
export function redisTlsFiles(url: string): { ca?: string; cert?: string; key?: string } {
  if (!/^rediss[:+]/.test(url)) return {};
  const searchParams = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1]);
  return Object.fromEntries(
    (['ca', 'cert', 'key'] as const).flatMap((name) => {
      const path = searchParams.get(name);
      return path === null ? [] : [[name, path]];
    }),
  );
}

function showSeveral(url: string): string {
  const { hosts, kind, masterName } = readRedisUrl(url);
  const list = hosts.map(({ host, port }) => `${host}:${port}`).join(',');
  return kind === 'sentinel' ? `${list}/${masterName}` : list;
}

const RULE =
  'expected redis://host:port, redis://user:password@host:port or with a database number at the end (/0); rediss:// for TLS. In user and password write # as %23, % as %25, / as %2F, : as %3A, ? as %3F, @ as %40';

/**
 * `REDIS_URL`: one server, Sentinels or a cluster. Its message shows nothing of the value: a piece of a password may be where the
 * host belongs.
 */
export const redisUrl = z
  .string()
  .superRefine((url, context) => {
    const message = findProblem(url);
    if (message !== null) context.addIssue({ code: 'custom', message });
  })
  .transform((url) => url.replace(/^[a-z+]+:/i, (scheme) => scheme.toLowerCase())); // ioredis takes REDISS:// for one without TLS

function findProblem(url: string): string | null {
  const protocol = /^[a-z+]+:/i.exec(url)?.[0].toLowerCase() ?? '';
  if (!REDIS_PROTOCOLS.includes(protocol)) {
    return `expected an address starting with ${REDIS_PROTOCOLS.map((one) => `${one}//`).join(' or ')}`;
  }
  if (!/^[!-~]+$/.test(url) || !isUnmistakable(url)) return RULE;
  if (namesSeveral(url)) return findRuleBroken(url);
  if (!WELL_FORMED.test(url) || !URL.canParse(url)) return RULE;
  return /^(?:\/\d*)?$/.test(new URL(url).pathname) ? findRuleBroken(url) : RULE;
}

/** Whether no part of a password can be taken for another part of the address. */
function isUnmistakable(url: string): boolean {
  const [, userinfo = '', rest = ''] = /^[^:]*:\/\/(?:(.*)@)?([^@]*)$/.exec(url) ?? [];
  return rest !== '' && !/[/?#]|%(?![0-9a-f]{2})/i.test(userinfo);
}

function findRuleBroken(url: string): string | null {
  try {
    readRedisUrl(url);
    return null;
  } catch (error) {
    return toMessage(error);
  }
}
