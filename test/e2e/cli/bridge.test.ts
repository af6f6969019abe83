import { expect, it } from 'vitest';
import { createOldPoster } from '../../support/bridge/old-poster.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const shell = useShell(redis);

it('shows the bridge, lists what is older than it, and takes it once', async () => {
  expect((await shell.run('bridge')).stdout).toContain('The bridge has never run here.');
  const old = createOldPoster(redis.db);
  await old.store('build 1', { description: 'Build \u001b[31mit' });
  await old.store('build-2', { description: 'Test it' });
  const fleet = await useFleet(redis);
  await fleet.startBridge();
  await waitUntil(async () => (await redis.redis.hlen(redis.keys.bridge('older'))) === 2);

  const { stdout: status } = await shell.run('bridge', 'status');
  expect(status).toMatch(/^Bridge: +bridge_/m);
  expect(status).toMatch(/^Older: +2 tasks \(fleet bridge ls, fleet bridge take\)$/m);
  expect((await shell.run('status')).stdout).toMatch(
    /^Old programs: +2 tasks from before the bridge wait for you \(fleet bridge ls\)$/m,
  );
  const { stdout: listed } = await shell.run('bridge', 'ls');
  expect(listed).toMatch(/^older +build 1 +old-build-1-[0-9a-f]+ +Build \[31mit$/m);
  expect(listed).not.toContain('\u001b');

  expect((await shell.run('bridge', 'take', 'build-2')).stdout).toMatch(
    /build-2 +old-build-2-[0-9a-f]+ +taken\n1 task/,
  );
  expect(JSON.parse((await shell.run('bridge', 'take', '--all', '--json')).stdout)).toMatchObject([
    { id: 'build 1', outcome: 'added' },
  ]);
  expect(await fleet.queue.getWaitingCount()).toBe(2);
  expect(JSON.parse((await shell.run('bridge', '--json')).stdout)).toMatchObject({ older: 0, known: 2 });
}, 120_000);

it.each([
  [['take'], 2, 'expected ids or --all'],
  [['take', 'x', '--all'], 2, 'got both'],
  [['take', 'nobody'], 2, 'none of those that wait'],
])('explains a wrong `fleet bridge %j`, exit %d', async (args, exit, words) => {
  const { code, stderr } = await shell.run('bridge', ...args);
  expect(stderr).toContain(words);
  expect(code).toBe(exit);
});
