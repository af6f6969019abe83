import { expect, it } from 'vitest';
import { readSeries } from '../../../src/swarm/tallies/read-series.ts';
import { sampleTallies, startSampling } from '../../../src/swarm/tallies/sample-tallies.ts';
import { SPAN_NAMES, SPANS } from '../../../src/swarm/tallies/spans.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const fixture = useRedis();
const MINUTE_MS = 60_000;
/** The beginning of an hour in UTC. */
const START = 1_800_000_000_000;
const DONE = 'job|tasks|completed|1000';

it('takes one sample a minute, whoever asks, and keeps as many as the spans have steps', async () => {
  const { redis, keys, db } = fixture;
  await redis.hset(keys.metrics, { [DONE]: 1, 'nano|haiku|m': '12345678901234567', 'call|haiku|m|served|100': 8 });
  expect(await sampleTallies(db, START + 10)).toBe(START);
  const first = await redis.hgetall(keys.samples('1h'));
  const [step, ...json] = (Object.values(first)[0] ?? '').split(/(?<=^\d+)\|/);
  expect([Object.keys(first).length, Number(step)]).toEqual([1, START / MINUTE_MS]);
  expect(JSON.parse(json.join(''))).toEqual({ [DONE]: '1', 'nano|haiku|m': '12345678901234567' });
  await redis.hincrby(keys.metrics, DONE, 1);
  const other = await fixture.connectDb();
  expect(await sampleTallies(other, START + MINUTE_MS - 1)).toBe(START);
  expect(await redis.hgetall(keys.samples('1h'))).toEqual(first);

  const minutes = 8 * 24 * 60;
  for (let minute = 1; minute <= minutes; minute += 1_000) {
    const some = Array.from({ length: Math.min(1_000, minutes - minute + 1) }, (_, i) => minute + i);
    await Promise.all(some.map((each) => sampleTallies(db, START + each * MINUTE_MS)));
  }
  for (const span of SPAN_NAMES) {
    const { stepMs, steps } = SPANS[span];
    const texts = await redis.hvals(keys.samples(span));
    const newest = (START + minutes * MINUTE_MS) / stepMs;
    const expected = Array.from({ length: steps }, (_, i) => newest - steps + 1 + i);
    expect(texts.map((text) => Number.parseInt(text, 10)).toSorted((a, b) => a - b)).toEqual(expected);
    expect(await redis.pttl(keys.samples(span))).toBeGreaterThan(stepMs * steps - MINUTE_MS);
    expect(await redis.pttl(keys.samples(span))).toBeLessThanOrEqual(stepMs * steps);
  }
});

it('samples while a process runs, and costs no more than samples where another program took a key', async () => {
  const { redis, keys, db } = fixture;
  await redis.set(keys.samples('24h'), 'taken');
  const lines: string[] = [];
  const log = createLogger('test', 'warn', { write: (line) => void lines.push(line) });
  const stop = startSampling({ db, log });
  fixture.cleanup(stop);
  await waitUntil(async () => (await redis.exists(keys.samples('1h'), keys.samples('7d'))) === 2);
  await redis.hincrby(keys.metrics, DONE, 3);
  expect((await readSeries(db, '1h')).totals.outcomes.completed).toBe(3);
  expect((await readSeries(db, '24h')).totals.outcomes.completed).toBe(0);

  await redis.hset(keys.samples('7d'), { a: 'no sample', b: '480000|{', c: '480000|[]' });
  expect((await readSeries(db, '7d')).totals.outcomes.completed).toBe(3);
  await redis.del(keys.metrics);
  await redis.set(keys.metrics, 'damaged');
  await sampleTallies(db, START);
  expect(await redis.hvals(keys.samples('1h'))).toHaveLength(1);
  expect((await readSeries(db, '1h')).totals.outcomes.completed).toBe(0);
  expect(lines).toEqual([]);
});
