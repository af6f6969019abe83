import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { percentile, type Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

const FINDINGS = 500_000;
const FORBIDDEN = /^cmdstat_(keys|scan|sscan|hscan|zscan)\b/m;

/** Counts the Redis commands of one `fleet status`, in an empty swarm and in one with half a million findings. */
export async function measureStatus(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const fleet = await openFleet(redis.config({ FLEET_SWARM: 'status' }));
    const empty = await commandsOf(fleet);
    await fill(fleet);
    const full = await commandsOf(fleet);
    await fleet.close();
    return [
      { name: 'commands of a status, no findings', value: empty.commands, unit: 'commands' },
      {
        name: 'commands of a status, 500,000 findings',
        value: full.commands,
        unit: 'commands',
        bar: { atMost: empty.commands },
      },
      { name: 'KEYS or SCAN among them', value: empty.scans + full.scans, unit: 'commands', bar: { atMost: 0 } },
      { name: 'its time at 500,000 / at none', value: full.ms / empty.ms, unit: 'ratio' },
    ];
  } finally {
    await redis.stop();
  }
}

async function fill(fleet: OpenFleet): Promise<void> {
  const { redis, keys } = fleet.inner.db;
  const finding = JSON.stringify({ finding_id: 'x', result: 'x'.repeat(200), at: new Date(0).toISOString() });
  for (let from = 0; from < FINDINGS; from += 5_000) {
    const chain = redis.pipeline();
    for (let i = from; i < from + 5_000; i += 1) {
      chain.set(keys.finding(`f${i}`), finding).zadd(keys.index, i, `f${i}`);
    }
    await chain.exec();
  }
}

async function commandsOf(fleet: OpenFleet): Promise<{ commands: number; scans: number; ms: number }> {
  const { redis } = fleet.inner.db;
  await fleet.status(); // opens the connections and loads the scripts
  await redis.config('RESETSTAT');
  await fleet.status();
  const stats = await redis.info('commandstats');
  const counts = [...stats.matchAll(/^cmdstat_(?!config|info)\S+:calls=(\d+)/gm)].map((match) => Number(match[1]));
  const times: number[] = [];
  for (let round = 0; round < 50; round += 1) {
    const began = performance.now();
    await fleet.status();
    times.push(performance.now() - began);
  }
  return {
    commands: counts.reduce((sum, count) => sum + count, 0),
    scans: FORBIDDEN.test(stats) ? 1 : 0,
    ms: percentile(times, 0.5),
  };
}
