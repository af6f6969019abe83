import { setTimeout as sleep } from 'node:timers/promises';
import { toProjects, type ShardLimits } from '../src/librarian/gate/shard-project.ts';
import { startCountingProvider } from './counting-provider.ts';
import type { Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';
import { endProcess, startGateWorker } from './start-gate-worker.ts';

const SHARDS = 5;
const RPM = 15;
/** Scaled. The gate holds a place longer than the window, because the provider counts a call on arrival. */
const WINDOW_MS = 12_000;
const ROUNDS = 6;
const PROCESSES = 3;

/** Measures five shards with three saturated processes, by the provider's count. One process is killed half-way. */
export async function measureRateGate(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  const provider = await startCountingProvider({ perWindow: RPM, windowMs: WINDOW_MS, latencyMs: 200 });
  const shards = Array.from({ length: SHARDS }, (_, i): ShardLimits => {
    return { number: i + 1, project: null, rpm: RPM, rpd: 1_500, tpm: 250_000, windowMs: WINDOW_MS };
  });
  const heldMs = toProjects(shards)[0]?.heldMs ?? WINDOW_MS;
  const options = { redisUrl: redis.url, swarm: 'gate', provider: provider.url, shards, pacing: false, dayMs: null };
  const start = () => startGateWorker({ ...options, queries: (2 * SHARDS * RPM) / PROCESSES });
  try {
    const [victim, ...others] = await Promise.all(Array.from({ length: PROCESSES }, start));
    await sleep((ROUNDS / 2) * heldMs);
    if (victim) await endProcess(victim, 'SIGKILL');
    await sleep((ROUNDS / 2) * heldMs + heldMs / 2);
    await Promise.all(others.map((child) => endProcess(child, 'SIGTERM')));
    const rates = [...provider.starts.values()].map((starts) => shareOfIdeal(starts, heldMs));
    return [
      { name: 'shards that were used', value: rates.length, unit: 'calls', bar: { atLeast: SHARDS } },
      {
        name: `most calls of a shard in any window, limit ${RPM}`,
        value: provider.mostInAnyWindow(),
        unit: 'calls',
        bar: { atMost: RPM },
      },
      { name: 'calls the provider refused (429)', value: provider.refused(), unit: 'calls', bar: { atMost: 0 } },
      {
        name: 'calls / 15 per time that a place is held, all shards',
        value: rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
        unit: 'ratio',
        bar: { atLeast: 0.97 },
      },
      { name: 'the same, of the slowest shard', value: Math.min(...rates), unit: 'ratio' },
    ];
  } finally {
    await provider.close();
    await redis.stop();
  }
}

/** Returns the calls after the first full window as a share of the most that were possible until the last call. */
function shareOfIdeal(starts: readonly number[], heldMs: number): number {
  const spanMs = (starts.at(-1) ?? 0) - (starts[0] ?? 0);
  return (starts.length - RPM) / ((RPM * spanMs) / heldMs);
}
