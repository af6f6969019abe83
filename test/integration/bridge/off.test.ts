import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createOldPoster } from '../../support/bridge/old-poster.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

test('sends no command to the keys of other programs where the bridge is off', async () => {
  const fleet = await useSimulatedFleet(redis);
  await fleet.startCoordinator('http');
  await createOldPoster(redis.db).store('old', { description: 'Count [[turns:1]]' });
  let seen = '';
  const monitor = connect(redis.port, '127.0.0.1'); // ioredis mixes what it hears with its own replies
  monitor.setEncoding('utf8').on('data', (text: string) => (seen += text));
  monitor.write('MONITOR\r\n');
  await waitUntil(() => seen.startsWith('+OK'));
  try {
    await redis.redis.publish(redis.keys.channelTasks, 'old');
    const id = await fleet.add('Count');
    await fleet.until(id, 'completed');
    await fleet.until(await fleet.add('Say no [[refuse]]'), 'failed');
    await redis.redis.publish('last', 'one');
    await waitUntil(() => seen.includes('"publish" "last" "one"'));
  } finally {
    monitor.destroy();
  }
  const prefix = redis.keys.oldTask('');
  const lines = seen.split('\r\n');
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((line) => line.includes(prefix) || line.includes(redis.keys.bridge('known')))).toEqual([]);
});
