import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../../src/doctor/check.ts';
import { checkLive } from '../../../src/doctor/live-checks.ts';
import { setBudget } from '../../../src/ledger/budget.ts';
import { formatUsd } from '../../../src/pricing/money.ts';
import { startSimulator, type Simulator } from '../../../simulator/simulator.ts';
import { testConfig } from '../../support/fleet/test-config.ts';
import { makeFolder } from '../../support/folder.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

type Options = Parameters<typeof startSimulator>[0];

/** The doctor's live lines, against simulated providers. */
async function live(env: Record<string, string> = {}, options: Options = {}) {
  const { anthropic = {}, gemini = {} } = options ?? {};
  const simulator = await startSimulator({
    anthropic: { latencyMs: 0, ...anthropic },
    gemini: { latencyMs: 0, ...gemini },
  });
  redis.cleanup(() => simulator.close());
  const config = testConfig(redis, {
    ANTHROPIC_API_KEY: 'anthropic-key-that-nobody-may-see',
    ANTHROPIC_BASE_URL: simulator.url,
    GEMINI_BASE_URL: simulator.url,
    DEEPSEEK_BASE_URL: `${simulator.url}/anthropic`,
    FLEET_OFFLINE: '0',
    ...env,
  });
  const results = await checkLive(redis.db, config);
  return { simulator, results, find: (what: string) => results.find((one) => one.what === what) };
}

const bad = (results: readonly CheckResult[]) => results.filter(({ ok }) => !ok).map(({ what }) => what);

async function spentToday(): Promise<Record<string, string>> {
  return redis.redis.hgetall(redis.keys.spend(`day:${new Date().toISOString().slice(0, 10)}`));
}

const served = ({ anthropic, gemini }: Simulator): number =>
  anthropic.served().billNanoUsd + gemini.served().billNanoUsd;

describe('the live check', () => {
  it('tries thinking, a tool and a trimmed conversation with each model, and names the tier and the cost', async () => {
    const { simulator, results, find } = await live({}, { anthropic: { rules: 'real' } });
    expect(bad(results)).toEqual([]);
    for (const id of ['claude-haiku-5-5', 'claude-sonnet-5-5']) {
      expect(find(id)?.seen).toMatch(
        /^thinks, uses tools, goes on after a trim: 3 calls in [\d,]+ ms for \$0\.\d{6}, booked$/,
      );
      expect(find(`${id} limits`)?.seen).toBe('1,000 calls, 2.0M tokens in, 400k tokens out a minute: the Start tier');
    }
    expect(simulator.anthropic.served().calls).toBe(6);
    expect(await spentToday()).toEqual({ settled: String(served(simulator)), reserved: '0' });
    expect(find('cost')?.seen).toBe(`${formatUsd(served(simulator), 6)} in all`);
    expect(await redis.redis.hgetall(redis.keys.reservations)).toEqual({});
    const left = await redis.redis.keys(redis.keys.turns('doctor-*'));
    expect(left).toEqual([]);
  });

  it('tries every Gemini key and the fallback’s, and names a bad one without showing it', async () => {
    const keys = { GEMINI_API_KEY_SHARD1: 'good-key-1', GEMINI_API_KEY_SHARD3: 'bad-key-3', GEMINI_TIER: 'free' };
    const { results, find } = await live(
      { ...keys, DEEPSEEK_API_KEY: 'deepseek-key' },
      { gemini: { acceptKeys: ['good-key-1'] } },
    );
    expect(bad(results)).toEqual(['GEMINI_API_KEY_SHARD3']);
    expect(find('GEMINI_API_KEY_SHARD1')?.seen).toMatch(/^answers: [\d,]+ ms, free$/);
    expect(find('GEMINI_API_KEY_SHARD3')).toMatchObject({
      seen: expect.stringContaining('API key not valid'),
      fix: expect.stringContaining('correct GEMINI_API_KEY_SHARD3 in '),
    });
    expect(find('DEEPSEEK_API_KEY')?.seen).toMatch(/^answers: [\d,]+ ms, for \$0\.\d{6}, booked$/);
    expect(JSON.stringify(results)).not.toMatch(/good-key|bad-key|deepseek-key|nobody-may-see/);
  });

  it('names the one key by its own variable, and says what a key without a tier needs', async () => {
    expect((await live({ GEMINI_API_KEY: 'the-key', GEMINI_TIER: 'free' })).find('GEMINI_API_KEY')?.ok).toBe(true);
    const { results } = await live({ GEMINI_API_KEY: 'the-key' });
    expect(bad(results)).toEqual(['archive']);
    expect(results.find(({ what }) => what === 'archive')?.seen).toContain('GEMINI_TIER_SHARD1: expected free or paid');
  });

  it('asks a refused key once, and shows the provider’s words', async () => {
    const { simulator, results, find } = await live({}, { anthropic: { acceptKey: () => false } });
    expect(bad(results)).toEqual(['ANTHROPIC_API_KEY']);
    expect(find('ANTHROPIC_API_KEY')).toMatchObject({
      seen: expect.stringMatching(/401|key/i),
      fix: expect.stringContaining('ANTHROPIC_API_KEY'),
    });
    expect(simulator.anthropic.requests()).toHaveLength(1);
    expect(find('cost')?.seen).toBe('$0.000000 in all');
    expect(await spentToday()).not.toHaveProperty('uncertain');
  });

  it('tries the models of other keys where one is refused, and says of a server that is not running how to reach it', async () => {
    const home = makeFolder();
    const row = {
      api: 'openai',
      context_tokens: 40_000,
      max_output_tokens: 8_000,
      abilities: { tools: true, schema: true },
    };
    const gone = await startSimulator({ anthropic: {}, gemini: {} });
    await gone.close();
    const address = `${gone.url}/v1`;
    const models = [
      { ...row, id: 'mine', vendor: 'local', base_url: address, price: 'free-local', since: '2026-11-01' },
    ];
    const path = join(home, 'models.json');
    writeFileSync(path, JSON.stringify({ models }));
    const { results, find } = await live(
      { FLEET_MODELS: path, FLEET_SONNET_MODEL: 'mine', FLEET_COORDINATOR_MODEL: 'claude-sonnet-5-5' },
      { anthropic: { acceptKey: () => false } },
    );
    expect(bad(results)).toEqual(['ANTHROPIC_API_KEY', 'mine']);
    expect(find('mine')?.fix).toBe(
      `start the server at ${address}, or correct base_url in the row of mine in models.json; then run it again`,
    );
  });

  it('says what a model cannot do, and tries the other one', async () => {
    const bound = {
      kind: 'invalid-request' as const,
      when: { model: 'claude-haiku-5-5', nth: 3 },
      message:
        'messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation',
    };
    const { results, find } = await live({}, { anthropic: { faults: [bound] } });
    expect(bad(results)).toEqual(['claude-haiku-5-5']);
    expect(find('claude-haiku-5-5')?.seen).toContain('bound to a different conversation');
    expect(find('claude-sonnet-5-5')?.ok).toBe(true);
  });

  it('sends nothing that would pass the day’s budget', async () => {
    await setBudget(redis.db, 0.000_001, null);
    const { simulator, results } = await live();
    expect(bad(results)).toEqual(['claude-haiku-5-5', 'claude-sonnet-5-5']);
    expect(results[0]).toMatchObject({
      seen: expect.stringContaining("the day's budget"),
      fix: 'fleet budget USD raises it; then run it again',
    });
    expect(simulator.anthropic.requests()).toEqual([]);
  });
});
