import { expect, test } from 'vitest';
import { BucketProvider, type BucketLimits } from '../../support/pacing/bucket-provider.ts';
import { SimulatedSlots, type SlotsSetup } from '../../support/pacing/simulated-slots.ts';
import { VirtualTime } from '../../support/pacing/virtual-time.ts';
import { createRandom } from '../../support/random.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const SMALLEST: BucketLimits = { requests: 50, inputTokens: 50_000, outputTokens: 10_000 };
const START: BucketLimits = { requests: 1_000, inputTokens: 2_000_000, outputTokens: 400_000 };
const MINUTES = 180_000;

/** Runs two processes for three minutes. `share`: of the binding limit that was used. */
async function run(
  limits: BucketLimits,
  setup: Partial<SlotsSetup> & Pick<SlotsSetup, 'slots' | 'tasks'>,
  counting: BucketProvider['counting'] = 'along',
) {
  const time = new VirtualTime();
  const provider = new BucketProvider(time, limits);
  provider.counting = counting;
  const random = createRandom(setup.seed ?? 1);
  provider.latency = () => [random(300, 900), random(1_000, 3_000)];
  const dbs = await Promise.all([redis.connectDb(), redis.connectDb()]);
  const slots = new SimulatedSlots({ time, provider, dbs, ...setup });
  slots.start();
  await time.pass(MINUTES);
  const kinds = ['requests', 'inputTokens', 'outputTokens'] as const;
  const share = Math.max(...kinds.map((kind) => provider.used[kind] / provider.allowed(kind, MINUTES)));
  await slots.close();
  return { provider, slots, share };
}

test.each([
  [60_000, 'along'],
  [6_000, 'along'],
  [6_000, 'start'],
  [6_000, 'end'],
] as const)(
  'the smallest tier with buckets of %d ms and output counted %s: no refusal, limits used, few tasks begun',
  async (burstMs, counting) => {
    const setup = { slots: 20, tasks: 200, seed: 3 };
    const { provider, slots, share } = await run({ ...SMALLEST, burstMs }, setup, counting);

    expect(provider.refused).toBe(0);
    expect(share).toBeGreaterThanOrEqual(0.9);
    expect(slots.open.size).toBeLessThanOrEqual(4);
    expect(slots.done * 5).toBeGreaterThanOrEqual(0.9 * (provider.served - 5));
  },
);

test.each([60_000, 6_000])('the tier of most accounts with 80 slots and buckets of %d ms', async (burstMs) => {
  const sizes: SlotsSetup['sizes'] = (_, random) => [random(3_000, 60_000), random(100, 2_000)];
  const { provider, share } = await run({ ...START, burstMs }, { slots: 40, tasks: 2_000, sizes });

  expect(provider.refused).toBe(0);
  expect(share).toBeGreaterThanOrEqual(0.9);
});

test('a provider whose bursts are shorter than its headers state refuses few calls, and its limits are used', async () => {
  const time = new VirtualTime();
  const provider = new BucketProvider(time, { ...SMALLEST, burstMs: 6_000 });
  provider.statesWholeMinute = true;
  const slots = new SimulatedSlots({ time, provider, dbs: [await redis.connectDb()], slots: 40, tasks: 200 });
  slots.start();
  await time.pass(MINUTES);
  await slots.close();

  expect(provider.refused).toBeLessThan(4);
  expect(provider.used.outputTokens / provider.allowed('outputTokens', MINUTES)).toBeGreaterThanOrEqual(0.9);
});

test('a limit that another program also uses is shared with it', async () => {
  const time = new VirtualTime();
  const provider = new BucketProvider(time, { requests: 600, inputTokens: 600_000, outputTokens: 60_000 });
  const slots = new SimulatedSlots({ time, provider, dbs: [await redis.connectDb()], slots: 40, tasks: 2_000 });
  const other = { isRunning: true, refused: 0 };
  const use = async (): Promise<void> => {
    while (other.isRunning) {
      const served = await provider.call(1_000, 400);
      if (served.status === 429) other.refused += 1;
      await time.sleep(1_000);
    }
  };
  void use();
  slots.start();
  await time.pass(MINUTES);
  other.isRunning = false;
  await slots.close();

  expect(provider.refused - other.refused).toBeLessThan(provider.served / 100);
});
