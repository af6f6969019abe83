import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median, type Measure } from './measure.ts';
import { startScratchRedis, type ScratchRedis } from './scratch-redis.ts';
import { endProcess } from './start-gate-worker.ts';
import { fleetRate } from './throughput.ts';

const JOBS = 6_000;
const ROUNDS = 5;

/**
 * Measures how much a librarian slows down a Haiku worker. The librarian adds every finding to its context and watches for
 * external findings.
 */
export async function measureLibrarianBeside(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const alone: number[] = [];
    const beside: number[] = [];
    await fleetRate(redis, 'warm', 1_000);
    for (let round = 0; round < ROUNDS; round += 1) {
      await redis.empty();
      alone.push(await fleetRate(redis, `alone${round}`, JOBS));
      await redis.empty();
      const librarian = await startLibrarian(redis, `beside${round}`);
      beside.push(await fleetRate(redis, `beside${round}`, JOBS));
      await endProcess(librarian, 'SIGTERM');
    }
    return [
      { name: 'full path, nobody beside it', value: median(alone), unit: 'jobs/s' },
      { name: 'full path, a librarian process beside it', value: median(beside), unit: 'jobs/s' },
      { name: 'with a librarian / without', value: median(beside) / median(alone), unit: 'ratio' },
    ];
  } finally {
    await redis.stop();
  }
}

/** Starts a real librarian with five simulated shards. It gets no questions. */
async function startLibrarian(scratch: ScratchRedis, swarm: string): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('../workers/librarian.js', import.meta.url)), {
    env: {
      PATH: process.env['PATH'],
      FLEET_HOME: scratch.folder,
      FLEET_DATA: scratch.folder,
      REDIS_URL: scratch.url,
      FLEET_SWARM: swarm,
      FLEET_OFFLINE: '1',
      FLEET_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  return child;
}
