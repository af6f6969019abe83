import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/environment.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { costNanoUsd } from '../../../src/pricing/cost.ts';
import { createArchiveModels, type OpenArchiveModels } from '../../../src/models/create/archive-models.ts';
import { startSimulator, type Simulator } from '../../../simulator/simulator.ts';
import { archiveRequest } from '../../support/models/archive-request.ts';
import { makeFolder } from '../../support/folder.ts';

const catalog = createCatalog([]);

const TIMEOUT = archiveRequest('What is the upload timeout?', ['The upload timeout is 30 seconds.']);
const signal = new AbortController().signal;

let home: string;
let simulator: Simulator;
let models: OpenArchiveModels | undefined;
beforeEach(async () => {
  home = makeFolder();
  simulator = await startSimulator({ anthropic: { latencyMs: 0 }, gemini: { latencyMs: 0 } });
});
afterEach(async () => {
  await models?.close();
  models = undefined;
  await simulator.close();
});

async function open(env: NodeJS.ProcessEnv) {
  const config = loadConfig({ FLEET_HOME: home, FLEET_DATA: join(home, 'data'), ...env });
  models = await createArchiveModels(config);
  return { config, models };
}

describe('the shards', () => {
  it.each(['generative-ai', 'genai'])('ask with their own keys, through %s', async (GEMINI_SDK) => {
    const env = {
      GEMINI_API_KEY_SHARD1: 'key-one',
      GEMINI_API_KEY_SHARD3: 'key-three',
      GEMINI_BASE_URL: simulator.url,
    };
    const { config, models: open3 } = await open({ ...env, GEMINI_SDK });
    for (const shard of config.shards) await open3.forShard(shard).ask(TIMEOUT, { signal });
    expect(new Set(simulator.gemini.requests().map((request) => request.keyHash)).size).toBe(2);
    expect(open3.fallback).toBeNull();
  });

  it('are simulated offline, each with a project and the limits of its own', async () => {
    const { config, models: open5 } = await open({ FLEET_OFFLINE: '1', GEMINI_RPM: '1' });
    const [first, second] = config.shards;
    if (first === undefined || second === undefined) throw new Error('no shards');
    await open5.forShard(first).ask(TIMEOUT, { signal });
    await expect(open5.forShard(first).ask(TIMEOUT, { signal })).rejects.toMatchObject({
      scope: 'minute',
      statedLimit: 1,
    });
    await expect(open5.forShard(second).ask(TIMEOUT, { signal })).resolves.toMatchObject({ finish: 'stop' });
    expect(simulator.gemini.requests()).toEqual([]); // they use the simulator that was started for them
  });

  it('share the limits of a project they name', async () => {
    const keys = {
      GEMINI_API_KEY_SHARD1: 'a',
      GEMINI_API_KEY_SHARD2: 'b',
      GEMINI_PROJECT_SHARD1: 'p',
      GEMINI_PROJECT_SHARD2: 'p',
    };
    const { config, models: open2 } = await open({ FLEET_OFFLINE: '1', GEMINI_RPM: '1', ...keys });
    const outcomes = await Promise.allSettled(
      config.shards.map((shard) => open2.forShard(shard).ask(TIMEOUT, { signal })),
    );
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('never ask another machine offline', async () => {
    const env = { FLEET_OFFLINE: '1', GEMINI_BASE_URL: 'https://example.org', DEEPSEEK_BASE_URL: 'http://10.0.0.1' };
    await expect(open(env)).rejects.toThrow(/GEMINI_BASE_URL: .*\n.*DEEPSEEK_BASE_URL: /);
  });

  it('cost what the provider bills', async () => {
    const { config, models: open1 } = await open({ GEMINI_API_KEY: 'key', GEMINI_BASE_URL: simulator.url });
    const [shard] = config.shards;
    if (shard === undefined) throw new Error('no shard');
    const long = archiveRequest('What is the upload timeout?', [
      'The upload timeout is 30 seconds.',
      'y'.repeat(30_000),
    ]);
    const entry = catalog.find(long.model, new Date());
    const costs = [];
    for (let call = 0; call < 2; call++)
      costs.push(costNanoUsd(entry, (await open1.forShard(shard).ask(long, { signal })).usage));
    expect(costs).toEqual(simulator.gemini.requests().map((request) => request.billNanoUsd));
    expect(costs[1]).toBeLessThan(costs[0] ?? 0); // the cache
  });
});

describe('any other model', () => {
  it.each(['claude-haiku-5-5', 'deepseek-flash'])('%s answers in the same form', async (id) => {
    const { find, limitKeyOf } = (
      await open({ FLEET_OFFLINE: '1', ANTHROPIC_BASE_URL: simulator.url, FLEET_GEMINI_MODEL: id })
    ).models;
    const reply = await find(id)?.ask({ ...TIMEOUT, model: id }, { signal });
    expect(reply).toMatchObject({ finish: 'stop' });
    expect(JSON.parse(reply?.text ?? '')).toMatchObject({ citations: ['finding_0000'] });
    expect(limitKeyOf(id)).toMatch(/^[0-9a-f]{12}$/);
  });

  it('needs a key', async () => {
    const { find, fallback } = (await open({ GEMINI_API_KEY: 'key', FLEET_GEMINI_MODEL: 'claude-haiku-5-5' })).models;
    expect(find('claude-haiku-5-5')).toBeNull();
    expect(fallback).toBeNull();
  });
});

describe('the fallback', () => {
  const DEEPSEEK = { ...TIMEOUT, model: 'deepseek-flash' };

  it('answers through the Anthropic API in the same form', async () => {
    const env = { DEEPSEEK_API_KEY: 'other-key', DEEPSEEK_BASE_URL: `${simulator.url}/anthropic` };
    const { fallback } = (await open(env)).models;
    const reply = await fallback?.ask(DEEPSEEK, { signal });
    expect(reply).toMatchObject({ finish: 'stop', finishWords: 'end_turn', model: 'deepseek-flash' });
    expect(JSON.parse(reply?.text ?? '')).toMatchObject({ citations: ['finding_0000'] });
    expect(simulator.anthropic.requests()).toMatchObject([
      { endpoint: 'POST /v1/messages', served: true, usage: reply?.usage },
    ]);
    expect(await fallback?.countTokens(DEEPSEEK, { signal })).toBeNull();
  });

  it.each([
    ['empty-content', { finish: 'empty' }],
    ['cut-off', { finish: 'max-tokens' }],
    ['refusal', { finish: 'safety' }],
  ] as const)('tells a reply that is none: %s', async (kind, expected) => {
    simulator.anthropic.setFaults([{ kind }]);
    const env = { DEEPSEEK_API_KEY: 'other-key', DEEPSEEK_BASE_URL: `${simulator.url}/anthropic` };
    const { fallback } = (await open(env)).models;
    await expect(fallback?.ask(DEEPSEEK, { signal })).resolves.toMatchObject(expected);
  });

  it.each([
    ['billing', { name: 'AccountRefusedError', billed: 'no' }],
    ['rate-limit', { name: 'RateLimitedError', billed: 'no' }],
    ['overloaded', { name: 'ProviderUnavailableError', billed: 'no' }],
    ['html', { name: 'TaskFailedError', reason: 'malformed', billed: 'unknown' }],
  ] as const)('fails as every model does: %s', async (kind, expected) => {
    simulator.anthropic.setFaults([{ kind }]);
    const env = { DEEPSEEK_API_KEY: 'other-key', DEEPSEEK_BASE_URL: `${simulator.url}/anthropic` };
    const { fallback } = (await open(env)).models;
    await expect(fallback?.ask(DEEPSEEK, { signal })).rejects.toMatchObject(expected);
  });

  it('is simulated offline where its key is set', async () => {
    const { fallback } = (await open({ FLEET_OFFLINE: '1', DEEPSEEK_API_KEY: 'other-key' })).models;
    await expect(fallback?.ask(DEEPSEEK, { signal })).resolves.toMatchObject({ finish: 'stop' });
  });
});
