import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, requireShards } from '../../../src/config/environment.ts';
import { configSecrets, createRedactor } from '../../../src/config/redact.ts';
import { makeFolder } from '../../support/folder.ts';

let home = '';
let env: NodeJS.ProcessEnv = {};
beforeEach(() => {
  home = makeFolder();
  env = { FLEET_HOME: home, FLEET_DATA: join(home, 'data') };
});

const load = (variables: NodeJS.ProcessEnv) => loadConfig({ ...env, ...variables });

describe('shards', () => {
  it('are none without a key', () => {
    expect(load({}).shards).toEqual([]);
    expect(() => requireShards(load({}))).toThrow(/GEMINI_API_KEY_SHARD1: expected a key.*FLEET_OFFLINE=1/);
  });

  it('is one where GEMINI_API_KEY stands alone', () => {
    expect(load({ GEMINI_API_KEY: 'key-a', GEMINI_TIER: 'free' }).shards).toEqual([
      {
        number: 1,
        apiKey: 'key-a',
        project: null,
        rpm: 15,
        rpd: 1_500,
        tpm: 250_000,
        windowMs: 60_000,
        tier: 'free',
      },
    ]);
  });

  it('are the numbered keys, with gaps, in order, and then GEMINI_API_KEY is not used', () => {
    const config = load({ GEMINI_API_KEY_SHARD10: 'c', GEMINI_API_KEY_SHARD2: 'b', GEMINI_API_KEY: 'a' });
    expect(config.shards.map(({ number, apiKey }) => [number, apiKey])).toEqual([
      [2, 'b'],
      [10, 'c'],
    ]);
  });

  it('have the limits of all unless their own say otherwise', () => {
    const config = load({
      GEMINI_API_KEY_SHARD1: 'a',
      GEMINI_API_KEY_SHARD2: 'b',
      GEMINI_RPM: '10',
      GEMINI_TIER: 'free',
      GEMINI_RPM_SHARD2: '100',
      GEMINI_RPD_SHARD2: '20',
      GEMINI_TPM_SHARD2: '5000',
      GEMINI_WINDOW_MS_SHARD2: '2000',
      GEMINI_TIER_SHARD2: 'paid',
      GEMINI_PROJECT_SHARD2: 'my-project',
      GEMINI_RPM_SHARD3: '7', // a shard without a key is checked, not used
    });
    expect(config.shards).toMatchObject([
      { number: 1, rpm: 10, rpd: 1_500, tier: 'free', project: null },
      { number: 2, rpm: 100, rpd: 20, tpm: 5_000, windowMs: 2_000, tier: 'paid', project: 'my-project' },
    ]);
  });

  it('are simulated offline where no key is set', () => {
    const config = load({ FLEET_OFFLINE: '1' });
    expect(config.shards).toHaveLength(5);
    expect(new Set(requireShards(config).map((shard) => shard.apiKey)).size).toBe(5);
    expect(load({ FLEET_OFFLINE: '1', GEMINI_API_KEY: 'a' }).shards).toHaveLength(1);
  });

  it('are read from .env as well', () => {
    writeFileSync(join(home, '.env'), 'GEMINI_API_KEY_SHARD1=a\nGEMINI_RPM_SHARD1=3\n');
    expect(load({ GEMINI_RPM_SHARD1: '4' }).shards).toMatchObject([{ apiKey: 'a', rpm: 4 }]);
  });

  it('must say whether their calls are billed before a librarian starts', () => {
    const config = load({ GEMINI_API_KEY_SHARD1: 'a', GEMINI_API_KEY_SHARD2: 'b', GEMINI_TIER_SHARD1: 'paid' });
    expect(() => requireShards(config)).toThrow(/GEMINI_TIER_SHARD2: expected free or paid, got nothing/);
    expect(() => requireShards(config)).not.toThrow(/SHARD1/);
  });
});

describe('wrong shard variables', () => {
  it('are all named in one message, with the other wrong ones', () => {
    const wrong = {
      FLEET_HAIKU_PROCESSES: '0',
      GEMINI_SDK: 'vertex',
      GEMINI_RPM: 'many',
      GEMINI_RPM_SHARD2: '0',
      GEMINI_TIER_SHARD2: 'cheap',
      GEMINI_PROJECT_SHARD2: 'a b',
      GEMINI_RPM_SHARD0: '3',
      GEMINI_RPS_SHARD1: '3',
    };
    expect(() => load(wrong)).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        message: [
          'the environment is wrong:',
          '  GEMINI_SDK: expected generative-ai or genai, got "vertex"',
          '  GEMINI_RPM: expected a whole number 1..100000, got "many"',
          '  FLEET_HAIKU_PROCESSES: expected a whole number 1..64, got "0"',
          '  GEMINI_RPM_SHARD2: expected a whole number 1..100000, got "0"',
          '  GEMINI_TIER_SHARD2: expected free or paid, got "cheap"',
          '  GEMINI_PROJECT_SHARD2: expected letters, digits, dot, dash, colon or underscore, got "a b"',
          '  GEMINI_RPM_SHARD0: expected a shard number 1..100, got "0"',
          '  GEMINI_RPS_SHARD1: expected one of GEMINI_API_KEY_SHARD1, GEMINI_PROJECT_SHARD1, GEMINI_RPM_SHARD1, GEMINI_RPD_SHARD1, GEMINI_TPM_SHARD1, GEMINI_WINDOW_MS_SHARD1, GEMINI_TIER_SHARD1',
        ].join('\n'),
      }),
    );
  });

  it('never show a key', () => {
    const same = { GEMINI_API_KEY_SHARD1: 'hidden-word', GEMINI_API_KEY_SHARD3: 'hidden-word' };
    expect(() => load(same)).toThrow(/GEMINI_API_KEY_SHARD3: expected a key of its own, got that of shard 1/);
    expect(() => load(same)).not.toThrow(/hidden/);
  });

  it('are limits that differ between shards of one project', () => {
    const two = {
      GEMINI_API_KEY_SHARD1: 'a',
      GEMINI_API_KEY_SHARD2: 'b',
      GEMINI_PROJECT_SHARD1: 'p',
      GEMINI_PROJECT_SHARD2: 'p',
    };
    expect(load(two).shards).toHaveLength(2);
    expect(() => load({ ...two, GEMINI_RPD_SHARD2: '20', GEMINI_TIER_SHARD1: 'paid' })).toThrow(
      /GEMINI_RPD_SHARD2: expected 1500 as for shard 1.*\n.*GEMINI_TIER_SHARD2: expected paid/,
    );
  });
});

it('keeps every key out of texts', () => {
  const config = load({
    GEMINI_API_KEY_SHARD1: 'first-key',
    GEMINI_API_KEY: 'lone-key',
    DEEPSEEK_API_KEY: 'other-key',
  });
  const redact = createRedactor(configSecrets(config));
  expect(redact('first-key lone-key other-key')).toBe('[redacted] [redacted] [redacted]');
});
