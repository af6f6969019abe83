import { expect, test } from 'vitest';
import { renderMetrics } from '../../../dashboards/metrics/render-metrics.ts';
import { renderModelLimits } from '../../../src/cli/output/limits.ts';
import type { ModelRow } from '../../../src/config/model-rows/types.ts';
import { readModelLimits } from '../../../src/pacing/read-limits.ts';
import { createPacer } from '../../../src/pacing/pacer.ts';
import { readStatus } from '../../../src/status/read/snapshot.ts';
import { renderStatus } from '../../../src/status/render/status.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const MODEL = 'claude-haiku-5-5';

test('the status shows what is used of the limits, and for how long a refusal holds calls back', async () => {
  const pacer = createPacer({ db: redis.db, limitKeyOf: () => 'hash', who: 'haiku-1', log: console });
  redis.cleanup(() => pacer.close());
  const ask = { model: MODEL, inputTokens: 900_000, outputTokens: 8_000, begun: true };
  const admit = () => {
    const run = pacer.enter({ isCounted: true });
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
  expect(await renderMetrics(redis.db, snapshot, [])).toMatch(
    /fleet_limit_used_ratio\{model="claude-haiku-5-5",kind="input",swarm="[^"]+"\} 0\.[789]/,
  );

  second?.refused(30_000);
  await waitUntil(async () => ((await read()).pacing[0]?.heldForMs ?? 0) > 0, { what: 'the hold' });
  expect(renderStatus(await read())).toMatch(/Haiku \d+ % of .* a minute \(held back for [23]\d s\)/);
});

test('the limits of a model name who said them, what is left of them and until when it cools', async () => {
  const rowOf = () => ({ limits: { rpm: 60, concurrent: 2 } });
  const pacer = createPacer({ db: redis.db, limitKeyOf: () => 'a1b2c3d4', rowOf, who: 'haiku-7', log: console });
  redis.cleanup(() => pacer.close());
  const ask = { model: 'mistral', inputTokens: 1_000, outputTokens: 8_000, begun: true };
  const wait = { signal: new AbortController().signal, isDraining: () => false };
  const permit = await pacer.enter({ isCounted: true }).admit(ask, wait);
  permit?.onLimits({ inputTokens: { limit: 50_000, remaining: 49_000, resetAt: 0 } });
  permit?.ended({ input: 900, cache_write: 0, cache_read: 0, output: 100 });
  await redis.redis.set(redis.keys.cooldown('mistral'), 'rate-limit', 'PX', 30_000);
  const uncalled = { id: 'local', limits: { concurrent: 4 } } as ModelRow;
  const read = () => readModelLimits(redis.db, [uncalled, { ...uncalled, id: 'mistral' }]);
  await waitUntil(async () => (await read())[0]?.learned !== null, { what: 'the limits of the answer' });

  const models = await read();
  expect(models).toMatchObject([
    {
      model: 'mistral',
      key: 'a1b2c3d4',
      atOnce: 2,
      limits: [
        { kind: 'requests', perMinute: 60, used: 1, left: 59, from: 'row' },
        { kind: 'input', perMinute: 50_000, from: 'provider' },
      ],
      learned: { by: 'haiku-7' },
      cooling: { why: 'rate-limit' },
    },
    { model: 'local', atOnce: 4, key: '', cooling: null },
  ]);
  const at = Date.parse(models[0]?.learned?.at ?? '') + 5_000;
  const text = renderModelLimits(models, at)
    .replaceAll(/\d+ s$/gm, '30 s')
    .replace(/minute +\d{3} +4[89],\d{3}/, 'minute   900  49,000');
  expect(text.split('\n')).toEqual([
    'MODEL    KEY     LIMIT                   USED    LEFT  SAID BY                      STATUS',
    'mistral  a1b2c3  60 calls a minute          1      59  models.json                  ⚠️ cooling 30 s',
    '                 50,000 tokens a minute   900  49,000  provider, 5 s ago (haiku-7)',
    '                 2 calls at once            0       2  models.json',
    'local    –       4 calls at once            0       4  models.json                  – not called',
  ]);
});
