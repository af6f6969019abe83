/** A host of Redis, with its port. */
export interface RedisHost {
  host: string;
  port: number;
}

/** What a `REDIS_URL` names. Sentinels and the nodes of a cluster are several hosts. */
export interface RedisServers {
  kind: 'single' | 'sentinel' | 'cluster';
  tls: boolean;
  /** At least one. */
  hosts: RedisHost[];
  username: string | null;
  password: string | null;
  /** Number of the database. */
  db: number;
  /** Of a Sentinel: the name under which it watches the master; else empty. */
  masterName: string;
  sentinelUsername: string | null;
  sentinelPassword: string | null;
  /** The swarm, whose keys lie on one node of a cluster; `loadConfig` adds it. Empty: not known, or no cluster. */
  swarm: string;
  /** After this long without an answer that is due, a connection counts as dead, ms. */
  silenceMs: number;
}

export const REDIS_PROTOCOLS: readonly string[] = [
  'redis:',
  'rediss:',
  'redis+sentinel:',
  'rediss+sentinel:',
  'redis+cluster:',
  'rediss+cluster:',
];

/** Redis answers in milliseconds. A server that copies its memory, or runs a long script, may need seconds. */
const SILENCE_MS = 10_000;
const SHAPES = {
  sentinel: 'redis+sentinel://[user:password@]host:26379,host:26379/<master-name>[/<database>]',
  cluster: 'redis+cluster://[user:password@]host:6379,host:6379',
} as const;
const DEFAULT_PORTS = { single: 6_379, sentinel: 26_379, cluster: 6_379 } as const;
const OPTIONS: Readonly<Record<RedisServers['kind'], readonly string[]>> = {
  single: ['silenceMs', 'ca', 'cert', 'key', 'db', 'family'],
  sentinel: ['silenceMs', 'ca', 'cert', 'key', 'sentinelUsername', 'sentinelPassword'],
  cluster: ['silenceMs', 'ca', 'cert', 'key'],
};

const SEVERAL = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^/]*)@)?([^/?#@]+)(\/[^?#]*)?(?:\?([^#]*))?(?:#(.*))?$/;
const HOST = /^(\[[0-9a-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i;

/** Whether the address names Sentinels or a cluster. */
export function namesSeveral(url: string): boolean {
  return /^rediss?\+/i.test(url);
}

/**
 * Reads an address of Redis.
 * @throws TypeError with the rule that it breaks; the message shows no part of the address, which may contain a password
 */
export function readRedisUrl(url: string): RedisServers {
  return namesSeveral(url) ? readSeveral(url) : readSingle(url);
}

/** Whether the address names a cluster, which only a swarm with a name can use. */
export function needsSwarm(url: string): boolean {
  return readRedisUrl(url).kind === 'cluster';
}

/** The address with the swarm whose node of the cluster is wanted; other addresses stay as they are. */
export function forSwarm(url: string, swarm: string | undefined): string {
  if (swarm === undefined || !needsSwarm(url)) return url;
  return `${url.replace(/#.*$/, '')}#${swarm}`;
}

/** The passwords of an address, as they are and as they are written there. Empty for one that cannot be read. */
export function passwordsOfRedis(url: string): string[] {
  if (!namesSeveral(url)) {
    const password = URL.canParse(url) ? new URL(url).password : '';
    return password === '' ? [] : [password, decode(password)];
  }
  const [, , , userinfo = '', , , query = ''] = SEVERAL.exec(url) ?? [];
  const colon = userinfo.indexOf(':');
  const password = colon === -1 ? '' : userinfo.slice(colon + 1);
  const written = [password, /(?:^|&)sentinelPassword=([^&]*)/.exec(query)?.[1] ?? ''];
  return [...written, ...written.map(decode)].filter((word) => word !== '');
}

function readSingle(url: string): RedisServers {
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(url);
  requireKnown(searchParams, 'single');
  const tls = protocol === 'rediss:';
  const db = searchParams.get('db');
  const family = searchParams.get('family');
  if (port === '0') throw new TypeError('expected a port 1..65535');
  if (!tls && ['ca', 'cert', 'key'].some((name) => searchParams.has(name))) {
    throw new TypeError('ca, cert and key are for TLS: write rediss:// instead of redis://');
  }
  if (db !== null && (!/^\d+$/.test(db) || /^\/\d+$/.test(pathname))) {
    throw new TypeError('expected one number of a database, at the end of the address (/0)');
  }
  if (family !== null && !/^[046]$/.test(family)) throw new TypeError('family: expected 4, 6 or 0 for both');
  return {
    kind: 'single',
    tls,
    hosts: [{ host: hostname, port: port === '' ? DEFAULT_PORTS.single : Number(port) }],
    username: decode(username) || null,
    password: decode(password) || null,
    db: Number(db ?? pathname.slice(1)) || 0,
    masterName: '',
    sentinelUsername: null,
    sentinelPassword: null,
    swarm: '',
    silenceMs: readSilence(searchParams),
  };
}

function readSeveral(url: string): RedisServers {
  const [, scheme, kind, userinfo = '', hosts = '', path = '', query = '', swarm = ''] = SEVERAL.exec(url) ?? [];
  if (kind !== 'sentinel' && kind !== 'cluster') {
    throw new TypeError(`expected ${SHAPES.sentinel} or ${SHAPES.cluster}`);
  }
  const options = new URLSearchParams(query);
  requireKnown(options, kind);
  const [masterName = '', db = '', ...rest] = path.slice(1).split('/').map(decode);
  if (rest.length > 0 || !/^\d*$/.test(db)) throw new TypeError(`expected ${SHAPES[kind]}`);
  if (kind === 'sentinel' && masterName === '') throw new TypeError(`expected a master name: ${SHAPES.sentinel}`);
  if (kind === 'cluster' && masterName !== '')
    throw new TypeError(`a cluster has one database: expected ${SHAPES.cluster}`);
  const colon = userinfo.indexOf(':');
  return {
    kind,
    tls: scheme === 'rediss',
    hosts: hosts.split(',').map((text) => readHost(text, kind)),
    username: decode(colon === -1 ? userinfo : userinfo.slice(0, colon)) || null,
    password: colon === -1 ? null : decode(userinfo.slice(colon + 1)) || null,
    db: Number(db),
    masterName,
    sentinelUsername: options.get('sentinelUsername'),
    sentinelPassword: options.get('sentinelPassword'),
    swarm,
    silenceMs: readSilence(options),
  };
}

/** The message shows no name that is not a word: it may be a piece of a password. */
function requireKnown(options: URLSearchParams, kind: RedisServers['kind']): void {
  const unknown = [...options.keys()].find((name) => !OPTIONS[kind].includes(name));
  if (unknown === undefined) return;
  if (/^(?:user(?:name)?|pass(?:word)?)$/i.test(unknown)) {
    throw new TypeError(`expected user and password before the host, user:password@host, got the option ${unknown}`);
  }
  if (/^(?:ssl|tls)$/i.test(unknown)) throw new TypeError(`expected rediss:// for TLS, got the option ${unknown}`);
  const got = /^[a-z_]{1,30}$/i.test(unknown) ? unknown : 'another one';
  throw new TypeError(`expected one of the options ${OPTIONS[kind].join(', ')} after the ?, got ${got}`);
}

function readHost(text: string, kind: 'sentinel' | 'cluster'): RedisHost {
  const [, host, port] = HOST.exec(text) ?? [];
  const number = port === undefined ? DEFAULT_PORTS[kind] : Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw new TypeError(`expected hosts as host:port, separated by commas: ${SHAPES[kind]}`);
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

function readSilence(options: URLSearchParams): number {
  const text = options.get('silenceMs');
  if (text === null) return SILENCE_MS;
  const ms = Number(text);
  if (Number.isInteger(ms) && ms >= 1_000 && ms <= 600_000) return ms;
  throw new TypeError('silenceMs: expected a whole number 1000..600000');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text; // a per cent sign that encodes nothing
  }
}
