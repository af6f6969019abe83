import { describe, expect, it, test } from 'vitest';
import { loadConfig } from '../../../src/config/environment.ts';
import { configSecrets } from '../../../src/config/redact.ts';
import { readRedisUrl } from '../../../src/config/redis-servers.ts';
import { redisAddress } from '../../../src/config/redis-url.ts';
import { makeFolder } from '../../support/folder.ts';

const env = (more: Record<string, string>) => ({
  FLEET_HOME: makeFolder({}),
  FLEET_DATA: makeFolder({}),
  FLEET_OFFLINE: '1',
  ...more,
});

describe('an address of Sentinels', () => {
  const url =
    'redis+sentinel://worker:pa%3Ass%40word@s1:26379,s2,[::1]:26381/mymaster/2?sentinelPassword=of%20sentinels';

  it('names hosts, master, database and both passwords', () => {
    expect(readRedisUrl(url)).toMatchObject({
      kind: 'sentinel',
      tls: false,
      hosts: [
        { host: 's1', port: 26_379 },
        { host: 's2', port: 26_379 },
        { host: '::1', port: 26_381 },
      ],
      username: 'worker',
      password: 'pa:ss@word',
      db: 2,
      masterName: 'mymaster',
      sentinelPassword: 'of sentinels',
    });
    expect(readRedisUrl(url.replace('redis+', 'rediss+')).tls).toBe(true);
  });

  it('is shown without passwords, which are redacted everywhere', () => {
    expect(redisAddress(url)).toBe('s1:26379,s2:26379,::1:26381/mymaster');
    const secrets = configSecrets(loadConfig(env({ REDIS_URL: url })));
    expect(secrets).toEqual(expect.arrayContaining(['pa:ss@word', 'of sentinels', 'pa%3Ass%40word']));
  });
});

describe('an address of a cluster', () => {
  const url = 'redis+cluster://:secret-word-1@a:7000,b:7001';

  it('needs a swarm with a name', () => {
    expect(() => loadConfig(env({ REDIS_URL: url }))).toThrow(/REDIS_URL: a cluster needs a swarm.*FLEET_SWARM/);
  });

  it('holds the swarm, whose keys lie on one node, also when it is read again', () => {
    const config = loadConfig(env({ REDIS_URL: url, FLEET_SWARM: 'acme' }));
    expect(readRedisUrl(config.REDIS_URL)).toMatchObject({ kind: 'cluster', swarm: 'acme', password: 'secret-word-1' });
    const again = loadConfig(env({ REDIS_URL: config.REDIS_URL, FLEET_SWARM: 'other' }));
    expect(readRedisUrl(again.REDIS_URL).swarm).toBe('other');
  });
});

test.each([
  ['redis://h:1?password=zqv', /user and password before the host/],
  ['redis://h:1?ssl=true', /expected rediss:\/\/ for TLS/],
  ['redis://h:1?keyPrefix=x', /one of the options silenceMs, .* got keyPrefix/],
  ['redis://h:1?silencems=3000', /one of the options silenceMs, .* got silencems/],
  ['redis://h:1?zq%20v7=3000', /got another one/],
  ['redis://h:1?ca=/ca.pem', /write rediss:\/\//],
  ['redis://h:1/0?db=1', /one number of a database/],
  ['redis://h:1?family=5', /family: expected 4, 6 or 0/],
  ['redis://h:0', /a port 1\.\.65535/],
  ['redis://h:', /expected redis:\/\/host:port/],
])('%s is refused', (url, rule) => {
  expect(() => loadConfig(env({ REDIS_URL: url }))).toThrow(rule);
  expect(() => loadConfig(env({ REDIS_URL: url }))).not.toThrow(/zq/);
});

test('an address may name the database and the kind of IP address as options', () => {
  expect(readRedisUrl('redis://h:1?db=3&family=6')).toMatchObject({ db: 3 });
});

test.each([
  ['redis+sentinel://s1:26379', /master name/],
  ['redis+sentinel://s1:26379/', /master name/],
  ['redis+sentinel://s1:26379/m/x', /redis\+sentinel/],
  ['redis+sentinel://s1:99999/m', /host:port/],
  ['redis+sentinel://s1,,s2/m', /host:port/],
  ['redis+sentinel://s1/m?sentinelPasword=word-of-mine', /got sentinelPasword/],
  ['redis+cluster://a:7000/1', /one database/],
  ['redis+cluster://a:7000?silenceMs=5', /silenceMs/],
  ['redis+cluser://a:7000', /expected/],
  ['redis://h?silenceMs=x', /silenceMs/],
])('%s is refused with its rule, without the value', (url, rule) => {
  const withPassword = url.replace('//', '//:word-of-mine@');
  let message = '';
  try {
    loadConfig(env({ REDIS_URL: withPassword, FLEET_SWARM: 'acme' }));
  } catch (error) {
    message = String(error);
  }
  expect(message).toMatch(rule);
  expect(message).toMatch(/REDIS_URL: /);
  expect(message).not.toContain('word-of-mine');
});
