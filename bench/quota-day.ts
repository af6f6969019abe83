import { setTimeout as sleep } from 'node:timers/promises';
import type { ShardLimits } from '../src/librarian/gate/shard-project.ts';
import { startCountingProvider, type CountingProvider } from './counting-provider.ts';
import type { Measure } from './measure.ts';
import { daysOf } from './scaled-days.ts';
import { startScratchRedis } from './scratch-redis.ts';
import { endProcess, startGateWorker } from './start-gate-worker.ts';

/** Scaled so that a saturated run uses the day's quota up in half a day; 1,500 calls at 15 a minute take less than a day, too. */
const DAY_MS = 36_000;
const WINDOW_MS = 3_000;
const PER_DAY = 90;
const RPM = 15;
const SHARDS = 2;

/** Measures the share of the quota that one saturated day uses, with and without pacing, by the provider's count. */
export async function measureQuotaDay(): Promise<Measure[]> {
  return [...(await measureDay('pacing off', false)), ...(await measureDay('pacing on', true))];
}

async function measureDay(name: string, pacing: boolean): Promise<Measure[]> {
  const redis = await startScratchRedis();
  const provider = await startCountingProvider({ perWindow: RPM, windowMs: WINDOW_MS, latencyMs: 20 });
  const shards = Array.from({ length: SHARDS }, (_, i): ShardLimits => {
    return { number: i + 1, project: null, rpm: RPM, rpd: PER_DAY, tpm: 250_000, windowMs: WINDOW_MS };
  });
  const options = { redisUrl: redis.url, swarm: 'day', provider: provider.url, shards, dayMs: DAY_MS };
  try {
    await sleep(DAY_MS - (Date.now() % DAY_MS)); // until the next day begins
    const { endsAtMs } = daysOf(DAY_MS)(Date.now());
    const children = await Promise.all(
      [1, 2].map(() => startGateWorker({ ...options, pacing, queries: SHARDS * RPM })),
    );
    const offset = performance.timeOrigin;
    await sleep(endsAtMs - Date.now() + 500); // into the next day, whose calls are not counted
    await Promise.all(children.map((child) => endProcess(child, 'SIGTERM')));
    const used = usedUntil(provider, endsAtMs - offset);
    const total = SHARDS * PER_DAY;
    const sum = used.reduce((a, b) => a + b, 0);
    return [
      { name: `${name}: share of the day's quota used`, value: sum / total, unit: 'ratio', bar: { atLeast: 0.95 } },
      {
        name: `${name}: most calls of a shard, quota ${PER_DAY}`,
        value: Math.max(...used),
        unit: 'calls',
        bar: { atMost: PER_DAY },
      },
      {
        name: `${name}: share of it in the first half of the day`,
        value: usedUntil(provider, endsAtMs - offset - DAY_MS / 2).reduce((a, b) => a + b, 0) / total,
        unit: 'ratio',
        ...(pacing ? { bar: { atMost: 0.55 } } : {}),
      },
      {
        name: `${name}: calls the provider refused (429)`,
        value: provider.refused(),
        unit: 'calls',
        bar: { atMost: 0 },
      },
    ];
  } finally {
    await provider.close();
    await redis.stop();
  }
}

/** Counts the calls of each shard before an instant of performance.now(). */
function usedUntil({ starts }: CountingProvider, endsAt: number): number[] {
  return [...starts.values()].map((own) => own.filter((start) => start < endsAt).length);
}
