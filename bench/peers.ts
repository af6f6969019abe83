import { openFleet } from '../src/api/open-fleet.ts';
import { runHaiku } from '../src/haiku/run-haiku.ts';
import type { Model, ModelReply, ModelRequest } from '../src/models/model.ts';
import { createLogger } from '../src/process/logger.ts';
import { percentile, type Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

const SAMPLES = 50;
const USAGE = { input: 100, cache_write: 0, cache_read: 0, output: 50 };

/** Measures how long a task waits for the help of its peers while slots are free: from its question to its next call. */
export async function measurePeers(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const config = redis.config({ FLEET_SWARM: 'peers', FLEET_HAIKU_CONCURRENCY: '8' });
    const fleet = await openFleet(config);
    const { model, waits } = createAskingModel();
    const haiku = await runHaiku({ config, model, log: createLogger('bench', 'error') });
    for (let i = 0; i < SAMPLES; i += 1) {
      const job = await fleet.tasks.add({ description: 'Ask your peers.' });
      await job.finding({ timeoutMs: 60_000 });
    }
    await haiku.close();
    await fleet.close();
    return [
      { name: 'question to the next call, slots free, p50', value: percentile(waits, 0.5), unit: 'ms' },
      {
        name: 'question to the next call, slots free, worst',
        value: Math.max(...waits),
        unit: 'ms',
        bar: { atMost: 5_000 },
      },
    ];
  } finally {
    await redis.stop();
  }
}

/** An instant model: an asker asks in its first call and ends in its second; a peer helps at once. */
function createAskingModel(): { model: Model; waits: number[] } {
  const waits: number[] = [];
  let askedAt = 0;
  const reply = ({ model, messages }: ModelRequest): ModelReply => {
    const base = { id: 'msg_bench', model, usage: USAGE };
    const isPeer = JSON.stringify(messages[0]).includes('Another worker of this fleet is stuck');
    if (!isPeer && messages.length === 1) {
      askedAt = performance.now();
      const use = { type: 'tool_use', id: 'toolu_1', name: 'ask_peers', input: { problem: 'Why?', tried: 'All.' } };
      return { ...base, stopReason: 'tool_use', content: [use] as ModelReply['content'] };
    }
    if (!isPeer) waits.push(performance.now() - askedAt);
    const text = isPeer ? '{"helps":true,"answer":"Look at line 7."}' : 'done';
    return {
      ...base,
      stopReason: 'end_turn',
      content: [{ type: 'text', text }] as ModelReply['content'],
    };
  };
  return {
    waits,
    model: { call: (request) => Promise.resolve(reply(request)), countTokens: () => Promise.resolve(null) },
  };
}
