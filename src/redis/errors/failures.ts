import { namesSeveral, readRedisUrl } from '../../config/redis-servers.ts';
import { redisHost } from '../../config/redis-url.ts';

/** What one kind of failure of Redis means to a person. */
export interface RedisFailure {
  /** Matched against the code and the message of what the client threw. */
  when: RegExp;
  /**
   * `away`: no Redis answers, and it may come back. `refuses`: it answers, and refuses for a while or until a person acts.
   * `wrong`: a setting is wrong, and waiting cannot help.
   */
  kind: 'away' | 'refuses' | 'wrong';
  /** @param address `host:port` @param text what Redis answered */
  say: (at: { address: string; url: string; text: string }) => string;
}

/** The rights of a Redis user that are enough for the fleet: everything but what administers the server. */
export const ENOUGH_RIGHTS = '~* &* +@all -@dangerous +info';

/** What a person can do about the fleet's own Redis; for another swarm's it would be wrong advice. */
export const OTHER_REDIS = 'start it, set REDIS_URL, or let the fleet run its own: fleet up --embedded';

/** Every kind that has a sentence of its own. The first that fits is taken. */
const REDIS_FAILURES: readonly RedisFailure[] = [
  {
    when: /WRONGPASS|invalid password|invalid username-password/i,
    kind: 'wrong',
    say: ({ address }) =>
      `Redis at ${address} refuses the login of REDIS_URL: wrong user or password. Correct it; in a password write # as %23, % as %25, / as %2F, : as %3A, ? as %3F, @ as %40`,
  },
  {
    when: /NOAUTH|Authentication required/i,
    kind: 'wrong',
    say: ({ address }) =>
      `Redis at ${address} refuses the login of REDIS_URL: it wants a password, and REDIS_URL has none. Write redis://:PASSWORD@host:port, or redis://USER:PASSWORD@host:port`,
  },
  {
    when: /NOPERM/,
    kind: 'wrong',
    say: ({ address, text }) =>
      `Redis at ${address} refuses the user of REDIS_URL a right that the fleet needs (${text.replace(/^.*?NOPERM /, '')}). Its administrator gives enough rights with: ACL SETUSER <user> ${ENOUGH_RIGHTS}`,
  },
  {
    when: /DB index is out of range|invalid DB index/i,
    kind: 'wrong',
    say: ({ address, url }) =>
      `Redis at ${address} has no database ${readRedisUrl(url).db}: correct the number at the end of REDIS_URL (most servers have 0 to 15, a cluster only 0)`,
  },
  {
    when: /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames/i,
    kind: 'wrong',
    say: ({ address, url }) =>
      `the certificate of Redis at ${address} is not for the name ${redisHost(url)}: write a name into REDIS_URL that the certificate has`,
  },
  {
    when: /CERT_HAS_EXPIRED|certificate has expired/i,
    kind: 'wrong',
    say: ({ address }) =>
      `the certificate of Redis at ${address} has expired: renew it on the server (or this machine's clock is wrong)`,
  },
  {
    when: /CERT_NOT_YET_VALID|certificate is not yet valid/i,
    kind: 'wrong',
    say: ({ address }) =>
      `the certificate of Redis at ${address} is not valid yet: this machine's clock is behind, or the certificate is wrong`,
  },
  {
    when: /SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)|self-signed certificate|unable to (?:verify|get)/i,
    kind: 'wrong',
    say: ({ address }) =>
      `this machine does not trust the certificate of Redis at ${address}: name the file of its authority in REDIS_URL, rediss://host:port?ca=/path/ca.pem`,
  },
  {
    when: /alert (?:certificate required|bad certificate|unknown ca|handshake failure)|ERR_SSL_TLSV1(?:3)?_ALERT/i,
    kind: 'wrong',
    say: ({ address }) =>
      `Redis at ${address} wants a certificate of its client: name the files in REDIS_URL, rediss://host:port?cert=/path/client.pem&key=/path/client.key`,
  },
  {
    when: /WRONG_VERSION_NUMBER|wrong version number|packet length too long|EPROTO/i,
    kind: 'wrong',
    say: ({ address }) => `what answers at ${address} speaks no TLS: write redis:// instead of rediss:// in REDIS_URL`,
  },
  {
    when: /Unknown RESP type (?:21|22|2[0-3]) /,
    kind: 'wrong',
    say: ({ address }) => `what answers at ${address} speaks TLS: write rediss:// instead of redis:// in REDIS_URL`,
  },
  {
    when: /Unknown RESP type|Protocol error, got/,
    kind: 'wrong',
    say: ({ address }) => `what answers at ${address} is no Redis (a web server?): correct host and port in REDIS_URL`,
  },
  {
    when: /\bOOM\b/,
    kind: 'refuses',
    say: ({ address }) =>
      `Redis at ${address} is full and takes nothing more; what is stored stays. Raise its maxmemory, or free memory, then do it again`,
  },
  {
    when: /MISCONF/,
    kind: 'refuses',
    say: ({ address }) =>
      `Redis at ${address} cannot write to its disk, and takes nothing more until it can: free disk space on its host, or look at its log and at the rights of its folder. What is stored stays`,
  },
  {
    when: /^(?:MOVED|ASK) /,
    kind: 'refuses',
    say: ({ address, url }) =>
      namesSeveral(url)
        ? `the nodes of Redis Cluster at ${address} change their owners: do it again in some seconds`
        : `Redis at ${address} is a node of a Redis Cluster: write REDIS_URL=redis+cluster://${address}, and set FLEET_SWARM to a name`,
  },
  {
    when: /cluster support disabled/,
    kind: 'wrong',
    say: ({ address }) =>
      `Redis at ${address} is no node of a Redis Cluster: write redis:// instead of redis+cluster:// in REDIS_URL`,
  },
  {
    when: /Sentinel knows no master/,
    kind: 'refuses',
    say: ({ address, url }) =>
      `the Sentinels at ${address.replace(/\/.*$/, '')} know no master of the name ${readRedisUrl(url).masterName}: correct the name at the end of REDIS_URL (SENTINEL MASTERS lists theirs)`,
  },
  {
    when: /unknown command [`'"]?sentinel/i,
    kind: 'wrong',
    say: ({ address }) =>
      `what answers at ${address} is no Sentinel: name the Sentinels in REDIS_URL (their usual port is 26379), or write redis:// for the server itself`,
  },
  {
    when: /READONLY|is a replica|^UNBLOCKED /,
    kind: 'refuses',
    say: ({ address }) =>
      `Redis at ${address} is a replica, which takes no writes: name the primary in REDIS_URL, or wait for the end of a failover`,
  },
  {
    when: /LOADING/,
    kind: 'refuses',
    say: ({ address }) => `Redis at ${address} still loads its data from disk: wait until it is done, then do it again`,
  },
  {
    when: /MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN/,
    kind: 'refuses',
    say: ({ address, text }) =>
      `Redis at ${address} waits for other servers of its group (${text}): mend them, or wait for the end of a failover`,
  },
  {
    when: /max number of clients reached/i,
    kind: 'refuses',
    say: ({ address }) =>
      `Redis at ${address} has no room for one more connection: raise its maxclients, or end programs that are connected (redis-cli CLIENT LIST)`,
  },
  {
    when: /DENIED Redis is running in protected mode/,
    kind: 'wrong',
    say: ({ address }) =>
      `Redis at ${address} lets in no other machine, because it has no password (protected mode): set one with requirepass, and write it into REDIS_URL`,
  },
  {
    when: /ENOTFOUND/,
    kind: 'away',
    say: ({ address, url }) =>
      `Redis is not reachable at ${address}: there is no host of the name ${redisHost(url)}; correct REDIS_URL`,
  },
  {
    when: /EAI_AGAIN/,
    kind: 'away',
    say: ({ address, url }) =>
      `Redis is not reachable at ${address}: this machine's DNS does not answer for ${redisHost(url)}; mend its network, or name an IP address in REDIS_URL`,
  },
  {
    when: /EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL/,
    kind: 'away',
    say: ({ address }) =>
      `Redis is not reachable at ${address}: no way leads there from this machine; mend its network, or correct REDIS_URL`,
  },
  {
    when: /ETIMEDOUT|no connection in/,
    kind: 'away',
    say: ({ address, url }) =>
      `Redis is not reachable at ${address}: no connection in time; the host is down, or a firewall is between${orNoTls(url)}`,
  },
  {
    when: /no answer (?:in|for)/,
    kind: 'away',
    say: ({ address }) =>
      `Redis is not reachable at ${address}: it takes connections, but does not answer; look whether its process is stopped or overloaded`,
  },
  {
    when: /each connection is closed/,
    kind: 'away',
    say: ({ address, url }) =>
      `Redis is not reachable at ${address}: it closes each connection; ${url.startsWith('rediss:') ? 'it may speak no TLS (redis://)' : 'it may want TLS (rediss://)'}, or refuse this machine`,
  },
  {
    when: /ECONNREFUSED|ECONNRESET|EPIPE|Connection is closed|connection close$|isn't writeable|max retries per request|sentinels are unreachable|no node answers/i,
    kind: 'away',
    say: ({ address }) => `Redis is not reachable at ${address}; ${OTHER_REDIS}`,
  },
];

/** The failure that a thrown value is one of; null: none that Redis or its connection causes. */
export function findRedisFailure(text: string): RedisFailure | null {
  return REDIS_FAILURES.find(({ when }) => when.test(text)) ?? null;
}

function orNoTls(url: string): string {
  return url.startsWith('rediss:') ? ', or it speaks no TLS: then write redis://' : '';
}
