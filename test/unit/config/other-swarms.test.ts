import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/environment.ts';
import { isSecretName } from '../../../src/config/own-environment.ts';
import { configSecrets } from '../../../src/config/redact.ts';
import { makeFolder } from '../../support/folder.ts';

let env: NodeJS.ProcessEnv = {};
beforeEach(() => {
  const home = makeFolder();
  env = { FLEET_HOME: home, FLEET_DATA: join(home, 'data') };
});

const load = (variables: NodeJS.ProcessEnv) => loadConfig({ ...env, ...variables });

describe('other swarms', () => {
  it('are named, each once, with an address of their own or none', () => {
    const config = load({
      FLEET_READ_SWARMS: 'ops, fleet,ops,docs-eu',
      FLEET_SHARE_WITH: 'web',
      FLEET_SWARM: 'acme',
      FLEET_PEER_DOCS_EU: 'rediss://user:p4ssword-of-docs@docs.example.org:6379',
    });
    expect(config.FLEET_READ_SWARMS).toEqual(['ops', 'fleet', 'docs-eu']);
    expect(config.FLEET_SHARE_WITH).toEqual(['web']);
    expect(Object.keys(config.peers)).toEqual(['docs-eu']);
    expect(configSecrets(config)).toContain('p4ssword-of-docs');
    expect(isSecretName('FLEET_PEER_DOCS_EU')).toBe(true);
    expect(config.notes).toEqual([]);
  });

  it('are none by default', () => {
    expect(load({})).toMatchObject({ FLEET_READ_SWARMS: [], FLEET_SHARE_WITH: [], peers: {} });
  });

  it.each([
    [{ FLEET_READ_SWARMS: 'Ops' }, 'FLEET_READ_SWARMS: expected names of swarms like ops,docs, got "Ops"'],
    [{ FLEET_SHARE_WITH: '*' }, 'FLEET_SHARE_WITH: expected names of swarms like ops,docs, got "*"; name each of them'],
    [{ FLEET_READ_SWARMS: 'all' }, 'got "all"; name each of them'],
    [{ FLEET_READ_SWARMS: 'fleet' }, 'FLEET_READ_SWARMS: expected other swarms, got "fleet", which is this one'],
    [{ FLEET_SWARM: 'acme', FLEET_SHARE_WITH: 'acme' }, 'FLEET_SHARE_WITH: expected other swarms, got "acme"'],
    [{ FLEET_PEER_ops: 'redis://a:1' }, 'FLEET_PEER_ops: expected the name of a swarm in capitals'],
    [{ FLEET_PEER_OPS: 'https://:secret-1@a' }, 'FLEET_PEER_OPS: expected an address starting with redis://'],
    [
      { FLEET_SWARM: 'acme', FLEET_READ_SWARMS: 'fleet', REDIS_URL: 'redis+cluster://a:1' },
      'FLEET_READ_SWARMS: expected swarms with a name, got "fleet"',
    ],
  ])('%o is refused with the rule', (variables, message) => {
    expect(() => load(variables)).toThrow(message);
    expect(() => load(variables)).not.toThrow('secret-1');
  });

  it('an address of a swarm that is not read is named', () => {
    expect(load({ FLEET_PEER_OPS: 'redis://a:1' }).notes).toMatchObject([
      { name: 'FLEET_PEER_OPS', fix: 'add ops to FLEET_READ_SWARMS, or remove it' },
    ]);
  });
});
