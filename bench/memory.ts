import type { ReplyBlock } from '../src/models/format.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet } from '../src/api/open-fleet.ts';
import { runHaiku } from '../src/haiku/run-haiku.ts';
import { createLogger } from '../src/process/logger.ts';
import type { Model } from '../src/models/model.ts';
import type { Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

const TASKS = 500;
const TURNS = 20;
const BYTES_A_TURN = 50_000;

/** Measures Redis' memory during and after 500 tasks of 20 turns. Each turn reads 50 kB. */
export async function measureMemory(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  const workspace = mkdtempSync(join(tmpdir(), 'fleet-bench-site-'));
  writeFileSync(join(workspace, 'big.txt'), `${'x'.repeat(99)}\n`.repeat(BYTES_A_TURN / 100));
  try {
    const config = redis.config({
      FLEET_SWARM: 'memory',
      FLEET_WORKSPACES: `site=${workspace}`,
      FLEET_HAIKU_CONCURRENCY: '50',
    });
    const fleet = await openFleet(config);
    const haiku = await runHaiku({ config, model: createReader(), log: createLogger('bench', 'error') });
    const usedMb = async (): Promise<number> =>
      Number(/^used_memory:(\d+)/m.exec(await fleet.inner.db.redis.info('memory'))?.[1] ?? 0) / 2 ** 20;
    const before = await usedMb();
    let peak = before;
    await fleet.tasks.addMany(
      Array.from({ length: TASKS }, (_, i) => ({
        description: `Read it, ${i}`,
        workspace: 'site',
        max_turns: TURNS + 1,
      })),
    );
    while ((await fleet.findings.count()) < TASKS) {
      peak = Math.max(peak, await usedMb());
      await sleep(50);
    }
    await haiku.close();
    const after = await usedMb();
    await fleet.close();
    return [
      { name: `Redis above empty while ${TASKS} such tasks ran, peak`, value: peak - before, unit: 'MB' },
      { name: 'Redis above empty after they ended', value: after - before, unit: 'MB', bar: { atMost: 20 } },
    ];
  } finally {
    rmSync(workspace, { recursive: true, force: true });
    await redis.stop();
  }
}

/** Creates a model that reads the large file in every turn except the last. */
function createReader(): Model {
  const usage = { input: 500, cache_write: 0, cache_read: 0, output: 20 };
  return {
    async call(request) {
      const turn = request.messages.filter((message) => message.role === 'assistant').length + 1;
      const content =
        turn < TURNS
          ? [{ type: 'tool_use', id: `toolu_${turn}`, name: 'read', input: { file_path: 'big.txt' } }]
          : [{ type: 'text', text: 'read' }];
      return {
        id: 'msg_bench',
        model: request.model,
        content: content as ReplyBlock[],
        stopReason: turn < TURNS ? 'tool_use' : 'end_turn',
        usage,
      };
    },
    countTokens: async () => null,
  };
}
