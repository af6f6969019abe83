import { expect, test } from 'vitest';
import { startSimulator } from '../../../simulator/simulator.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

test('the first question after the minute of a stopped model is its probe, and reaches the provider', async () => {
  await storeFindings(redis, {
    finding_tea: {
      task: 'Look at the store',
      result: 'The store holds 40 crates of tea.',
      session: 's1',
      at: '2026-11-01T10:00:00Z',
    },
  });
  const simulator = await startSimulator({ gemini: { latencyMs: 0 } });
  redis.cleanup(() => simulator.close());
  const fleet = await useFleet(redis, { env: { GEMINI_BASE_URL: simulator.url }, librarian: 'http' });
  const first = await fleet.ask('How many crates of tea does the store hold?', { queryId: 'first' });
  const answer = await first.finding({ timeoutMs: 15_000 });
  await redis.redis.set(redis.keys.outage(String(answer.model)), 10); // failures in a row

  const second = await fleet.ask('How many crates does the store hold?', { queryId: 'second' });
  expect(await second.result({ timeoutMs: 15_000 })).toContain('40 crates of tea');
  expect(await redis.redis.exists(redis.keys.outage(String(answer.model)))).toBe(0);
});
