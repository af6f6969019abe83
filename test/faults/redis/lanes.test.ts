import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runLanes, startLanes } from '../../support/fleet/three-lanes.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { loadScript } from '../../../src/redis/scripting/script-file.ts';

const redis = useRedis({ appendOnly: true, leakGuard: false });

/** `npm run versions` runs it on every server that it can get; the other tests of this folder do more on the usual one. */
test.runIf(process.env['FLEET_TEST_SERVER'] !== undefined)(
  'this server takes every script, and all three queues run on it over a restart',
  async () => {
    const folder = new URL('../../../src/redis/scripts/', import.meta.url);
    const names = readdirSync(folder).filter((name) => name.endsWith('.lua'));
    expect(names.length).toBeGreaterThan(30);
    for (const name of names) await redis.redis.script('LOAD', loadScript(name.replace('.lua', '')).lua);
    await redis.redis.config('SET', 'appendfsync', 'always');

    const report = await runLanes(redis, await startLanes(redis), {
      tasks: 10,
      async fault() {
        await redis.kill();
        await redis.start();
      },
    });
    console.log(
      `restart of ${/redis_version:(\S+)/.exec(await redis.redis.info('server'))?.[1]}: ${JSON.stringify(report)}`,
    );
    expect(report).toMatchObject({ lost: [], paidAgain: 0, ended: [] });
    expect(report.books).toMatchObject({ reserved: 0, openReservations: 0 });
  },
);
