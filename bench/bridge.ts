import { runBridge } from '../src/bridge/run-bridge.ts';
import { serveV2 } from '../src/bridge-v2/run-v2.ts';
import { runHaiku } from '../src/haiku/run-haiku.ts';
import { createLogger } from '../src/process/logger.ts';
import { connectRedis } from '../src/redis/connect.ts';
import { createKeys } from '../src/redis/keys.ts';
import { createInstantModel } from './instant-model.ts';
import { percentile, type Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

const SAMPLES = 400;
const WARM_UP = 20;
const SWARM = 'bridge';

/** Measures the time from the post of a task by an old program to its announcement on `channel:completions`, one task at a time on an idle fleet. */
export async function measureBridge(): Promise<Measure[]> {
  const scratch = await startScratchRedis();
  try {
    const times = (await sample(scratch)).slice(WARM_UP);
    return [
      { name: 'old task, post to completion, p50', value: percentile(times, 0.5), unit: 'ms', bar: { atMost: 20 } },
      { name: 'old task, post to completion, p99', value: percentile(times, 0.99), unit: 'ms' },
    ];
  } finally {
    await scratch.stop();
  }
}

async function sample(scratch: Awaited<ReturnType<typeof startScratchRedis>>): Promise<number[]> {
  const config = scratch.config({ FLEET_SWARM: SWARM, FLEET_BRIDGE: '1' });
  const log = createLogger('bench', 'error');
  const haiku = await runHaiku({ config, model: createInstantModel(), log });
  const bridge = await runBridge({ config, log, v2: serveV2 });
  const keys = createKeys(SWARM);
  const [poster, listener] = await Promise.all([
    connectRedis(scratch.url, { role: 'producer' }),
    connectRedis(scratch.url, { role: 'worker' }),
  ]);
  const waiting = new Map<string, () => void>();
  listener.on('message', (_channel, id: string) => waiting.get(id)?.());
  await listener.subscribe(keys.channelCompletions);
  const times: number[] = [];
  for (let n = 0; n < SAMPLES; n += 1) {
    const id = `t${n}`;
    const completed = new Promise<void>((resolve) => waiting.set(id, resolve));
    const postedAt = performance.now();
    await poster.set(keys.oldTask(id), JSON.stringify({ description: `Say ${n}`, files: [] }));
    await poster.publish(keys.channelTasks, id);
    await completed;
    times.push(performance.now() - postedAt);
    waiting.delete(id);
  }
  await bridge.close();
  await haiku.close();
  poster.disconnect();
  listener.disconnect();
  return times;
}
