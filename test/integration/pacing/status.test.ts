import { expect, test } from 'vitest';
import { renderMetrics } from '../../../dashboards/metrics.ts';
import { createPacer } from '../../../src/pacing/pacer.ts';
import { readStatus } from '../../../src/status/read/snapshot.ts';
import { renderStatus } from '../../../src/status/render/status.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const MODEL = 'claude-haiku-5-5';

test('the status shows what is used of the limits, and for how long a refusal holds calls back', async () => {
  const pacer = createPacer({ db: redis.db, limitKey: 'hash', log: console });
  redis.cleanup(() => pacer?.close());
  const ask = { model: MODEL, inputTokens: 900_000, outputTokens: 8_000, begun: true };
  const admit = () => {
    const run = pacer?.enter({ isCounted: true });
    return run?.admit(ask, { signal: new AbortController().signal, isDraining: () => false });
  };
  const read = () => readStatus(redis.db, {});
  expect((await read()).pacing).toEqual([]);

  const first = await admit();
  const of = (limit: number) => ({ limit, remaining: limit, resetAt: 0 });
  first?.onLimits({ requests: of(1_000), inputTokens: of(2_000_000), outputTokens: of(400_000) });
  const second = await admit();
  first?.ended({ input: 800_000, cache_write: 100_000, cache_read: 50_000, output: 1_000 });
  await waitUntil(async () => (await read()).pacing[0]?.calls === 1, { what: 'the end of the first call' });

  const snapshot = await read();
  expect(snapshot.pacing).toMatchObject([{ model: MODEL, calls: 1, waiting: { begun: 0, fresh: 0 }, heldForMs: 0 }]);
  const input = snapshot.pacing[0]?.limits.find(({ kind }) => kind === 'input');
  expect(input?.perMinute).toBe(2_000_000);
  expect(input?.used).toBeGreaterThan(1_500_000); // 900,000 used, and as much reserved
  expect(input?.used).toBeLessThanOrEqual(1_800_000);
  expect(renderStatus(snapshot)).toMatch(/Limits: {11}Haiku [789]\d % of 2\.0M tokens a minute/);
  expect(await renderMetrics(snapshot, [])).toMatch(
    /fleet_limit_used_ratio\{model="claude-haiku-5-5",kind="input"\} 0\.[789]/,
  );

  second?.refused(30_000);
  await waitUntil(async () => ((await read()).pacing[0]?.heldForMs ?? 0) > 0, { what: 'the hold' });
  expect(renderStatus(await read())).toMatch(/Haiku \d+ % of .* a minute \(held back for [23]\d s\)/);
});
