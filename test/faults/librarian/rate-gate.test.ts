import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startCountingProvider, type CountingProvider } from '../../../bench/counting-provider.ts';
import { endProcess, startGateWorker } from '../../../bench/start-gate-worker.ts';
import { testShards } from '../../support/fleet/gate.ts';
import { useRedis, type TestRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const RPM = 15;
const windowMs = 6_000;

interface Setup {
  /** Of each process. */
  clocksAheadMs?: number[];
  /** See `GateWorkerOptions`. */
  blockMs?: number;
}

/** Saturated gates in their own processes, on one shard of a counting provider. */
async function startFleet(redis: TestRedis, processes: number, { clocksAheadMs = [], blockMs = 0 }: Setup = {}) {
  const provider = await startCountingProvider({ perWindow: RPM, windowMs, latencyMs: 30 });
  redis.cleanup(() => provider.close());
  const options = {
    redisUrl: redis.url,
    swarm: redis.swarm,
    provider: provider.url,
    shards: testShards(1, { rpm: RPM, windowMs }),
    queries: 2 * RPM,
    pacing: false,
    blockMs,
    dayMs: null,
  };
  const entry = new URL('../../../dist/bench/gate-worker.js', import.meta.url);
  const start = async (clockAheadMs: number): Promise<ChildProcess> => {
    const child = await startGateWorker(options, entry, clockAheadMs);
    redis.cleanup(() => endProcess(child, 'SIGKILL'));
    return child;
  };
  const children = await Promise.all(Array.from({ length: processes }, (_, i) => start(clocksAheadMs[i] ?? 0)));
  await waitUntil(() => callsOf(provider) >= RPM, { what: 'a full window' });
  return { provider, children };
}

const callsOf = ({ starts }: CountingProvider): number => starts.get(1)?.length ?? 0;

async function waitForCalls(provider: CountingProvider, more: number): Promise<void> {
  const wanted = callsOf(provider) + more;
  await waitUntil(() => callsOf(provider) >= wanted, { timeoutMs: 60_000, what: `${more} more calls` });
}

function expectLimitHeld(provider: CountingProvider): void {
  expect(provider.mostInAnyWindow()).toBe(RPM);
  expect(provider.refused()).toBe(0);
}

async function outlastsRedis(redis: TestRedis): Promise<void> {
  const { provider } = await startFleet(redis, 2);
  await redis.kill();
  await sleep(500); // until the permits given before are used
  const before = callsOf(provider);
  await sleep(windowMs + 1_000);
  expect(callsOf(provider)).toBe(before);
  await redis.start();
  await waitForCalls(provider, 2 * RPM);
  expectLimitHeld(provider);
}

describe('on a Redis that keeps its data, the rate gate', () => {
  const redis = useRedis({ appendOnly: true });

  it('gives the places of a killed process to the others, and never one twice in a window', async () => {
    const { provider, children } = await startFleet(redis, 2);
    const [victim, survivor] = children;
    if (!victim || !survivor) throw new Error('two processes');
    await endProcess(victim, 'SIGKILL');
    await waitForCalls(provider, 2 * RPM);
    const own = provider.callers.get(survivor.pid ?? 0) ?? 0;
    await waitForCalls(provider, RPM);
    expect((provider.callers.get(survivor.pid ?? 0) ?? 0) - own).toBeGreaterThanOrEqual(RPM); // the whole window is the survivor's
    expectLimitHeld(provider);
  });

  it('serves others while one process is frozen, and that one when it wakes', async () => {
    const { provider, children } = await startFleet(redis, 2);
    const [frozen] = children;
    if (!frozen) throw new Error('two processes');
    frozen.kill('SIGSTOP');
    redis.cleanup(() => frozen.kill('SIGCONT'));
    await sleep(11_000); // the limiter drops a silent client after ten seconds
    const asleep = provider.callers.get(frozen.pid ?? 0) ?? 0;
    await waitForCalls(provider, RPM);
    frozen.kill('SIGCONT');
    await waitUntil(() => (provider.callers.get(frozen.pid ?? 0) ?? 0) > asleep + 2, {
      timeoutMs: 60_000,
      what: 'calls of the process that woke',
    });
    await waitForCalls(provider, RPM);
    expectLimitHeld(provider);
  });

  it('holds for hosts whose clocks are minutes apart, and serves each', async () => {
    const { provider, children } = await startFleet(redis, 3, { clocksAheadMs: [-180_000, 0, 300_000] });
    await waitForCalls(provider, 2 * RPM);
    expect(children.map(({ pid }) => (provider.callers.get(pid ?? 0) ?? 0) > 0)).toEqual([true, true, true]);
    expectLimitHeld(provider);
  });

  it('counts a call from its departure, also in processes that are busy between permit and call', async () => {
    const { provider } = await startFleet(redis, 2, { blockMs: 2_000 });
    await waitForCalls(provider, 3 * RPM);
    expectLimitHeld(provider);
  });

  it('makes no call while Redis is away, and none too many when it is back', () => outlastsRedis(redis));
});

describe('on a Redis that loses its data, the rate gate', () => {
  const redis = useRedis();

  it('makes no call while Redis is away, and none too many when it is back', () => outlastsRedis(redis));

  it('lets none too many through after a restart within the window', async () => {
    const { provider } = await startFleet(redis, 3);
    await redis.kill();
    await redis.start();
    await waitForCalls(provider, 2 * RPM);
    expectLimitHeld(provider);
  });
});
