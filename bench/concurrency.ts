import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openFleet } from '../src/api/open-fleet.ts';
import type { Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

const SLOTS = 200;
const CALL_MS = 2_000;

/** Measures one worker process that makes 200 calls of two seconds at once. The simulator runs in its own process. */
export async function measureConcurrency(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  const simulator = fork(
    fileURLToPath(new URL('../simulator/main.js', import.meta.url)),
    ['--port', '0', '--latency-ms', String(CALL_MS)],
    {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  const env = { FLEET_SWARM: 'wide', FLEET_HAIKU_CONCURRENCY: String(SLOTS) };
  try {
    const { url } = JSON.parse(await firstLine(simulator.stdout)) as { url: string };
    const config = redis.config({ ...env, ANTHROPIC_BASE_URL: url });
    const fleet = await openFleet(config);
    const worker = fork(fileURLToPath(new URL('../workers/haiku.js', import.meta.url)), {
      env: {
        ...process.env,
        ...env,
        FLEET_HOME: config.home,
        REDIS_URL: redis.url,
        FLEET_OFFLINE: '1',
        ANTHROPIC_BASE_URL: url,
        FLEET_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await new Promise((resolve) => worker.once('message', resolve));
    const { batch } = await fleet.tasks.addMany(
      Array.from({ length: SLOTS * 2 }, (_, i) => ({ description: `Report number ${i}` })),
      { batch: 'wide' },
    );
    let peakCalls = 0;
    let peakMemory = 0;
    while ((await fleet.findings.list({ batch: batch ?? '', limit: SLOTS * 2 })).length < SLOTS * 2) {
      peakMemory = Math.max(peakMemory, await residentMb(worker.pid ?? 0));
      peakCalls = Math.max(peakCalls, await fleet.inner.db.redis.hlen(fleet.inner.db.keys.reservations));
      await sleep(100);
    }
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.kill('SIGTERM');
    await ended;
    await fleet.close();
    return [
      { name: 'calls of 2 s running at once in one process', value: peakCalls, unit: 'calls', bar: { atLeast: SLOTS } },
      { name: 'resident memory of that process, peak', value: peakMemory, unit: 'MB', bar: { atMost: 180 } },
    ];
  } finally {
    simulator.kill('SIGTERM');
    await redis.stop();
  }
}

/** Returns the resident memory of a process, MB. Linux only. */
async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

async function firstLine(stream: NodeJS.ReadableStream | null): Promise<string> {
  for await (const chunk of stream ?? []) return String(chunk).split('\n')[0] ?? '';
  throw new Error('the simulator said nothing');
}
