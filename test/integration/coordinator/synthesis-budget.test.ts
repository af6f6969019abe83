import { expect, it } from 'vitest';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { toSynthesisCall } from '../../../src/coordinator/calls/synthesis.ts';
import { readBudget, setBudget } from '../../../src/ledger/budget.ts';
import { createAnthropicModel } from '../../../src/models/anthropic/adapter.ts';
import { toNanoUsd } from '../../../src/pricing/money.ts';
import { openStructuredCalls } from '../../support/fleet/structured-calls.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const redis = useRedis();
const MISSION = 'mission-test';
/** What five hundred tasks and a plan may have cost before. */
const SPENT_USD = 0.17;
const SENTENCE = 'The shop sold more tea than coffee in the first week, and the stock of green tea is low. ';

it('answers a mission of one dollar from five hundred findings, without parking it', async () => {
  const simulator = await startAnthropicSimulator({ latencyMs: 0, rules: 'real' });
  redis.cleanup(() => simulator.close());
  const model = createAnthropicModel({ apiKey: 'key', baseUrl: simulator.url, idleMs: 10_000, totalMs: 60_000 });
  await setBudget(redis.db, 1, { mission: MISSION });
  await redis.redis.hset(redis.keys.spend(`mission:${MISSION}`), 'settled', toNanoUsd(SPENT_USD));
  const results = Array.from({ length: 500 }, (_, i) => ({
    findingId: `finding_${i}`,
    kind: 'analysis',
    task: `Describe week ${i} of the shop`,
    result: SENTENCE.repeat(14),
  }));
  const call = toSynthesisCall({
    catalog: createCatalog([]),
    model: 'claude-sonnet-5-5',
    goal: 'What sells?',
    results,
    failed: [],
  });
  expect(Buffer.byteLength(call.prompt)).toBeGreaterThan(490_000); // as large as findings may be together

  const { citations } = await openStructuredCalls(redis, model).ask(call);
  expect(citations.length).toBeGreaterThan(0);
  const { settled, reserved } = await readBudget(redis.db, { mission: MISSION }, new Date());
  expect(reserved).toBe(0);
  expect(settled).toBe(toNanoUsd(SPENT_USD) + simulator.served().billNanoUsd);
});
