import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const TASKS = 20;
const WATCH_MS = 3_000;
/** In that time: the first, one after 1 s, one after 2 s more; and one that each of two workers may have had under way. */
const MOST_CALLS = 5;

test.each([
  ['none', undefined],
  ['below 0', '-5'],
  ['a date that is over', new Date(Date.now() - 3600_000).toUTCString()],
  ['a date in two years', new Date(Date.now() + 2 * 365 * 24 * 3600_000).toUTCString()],
])('a provider that limits every call, and names as wait %s, is asked a few times only', async (_, retryAfter) => {
  const fault = { kind: 'rate-limit' as const, ...(retryAfter === undefined ? {} : { retryAfter }) };
  const fleet = await useSimulatedFleet(redis, { workers: 2, slots: 10, simulator: { faults: [fault] } });
  await Promise.all(Array.from({ length: TASKS }, (__, i) => fleet.add(`Say ${i}`)));
  await waitUntil(() => fleet.simulator.requests().length > 0, { what: 'the first call' });
  await sleep(WATCH_MS);
  expect(fleet.simulator.requests().length).toBeLessThanOrEqual(MOST_CALLS);
  expect(await fleet.queue.getFailedCount()).toBe(0);
});
