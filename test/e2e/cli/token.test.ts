import { expect, it } from 'vitest';
import { findClient } from '../../../src/clients/clients.ts';
import { loseCall } from '../../support/redis/uncertain-call.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const shell = useShell(redis);

it('adds a client, shows its token once and its money always, and ends it', async () => {
  const added = await shell.run('token', 'add', 'laptop', '--role', 'delegate', '--budget', '5', '--expires', '7d');
  expect(added.code).toBe(0);
  const token = added.stdout.trim();
  expect(token).toMatch(/^fleet_laptop_[0-9a-f]{64}$/);
  expect(added.stderr).toContain('Client laptop: role delegate, budget $5.0000, until 2');
  expect(added.stderr).toContain('which is shown only now');
  expect(added.stderr).not.toContain(token);
  expect(await findClient(redis.db, token)).toMatchObject({ name: 'laptop', role: 'delegate' });

  await loseCall(redis, { client: 'laptop', worstNanoUsd: 4_500_000_000 });
  const listed = await shell.run('token', 'ls');
  expect(listed.stdout).toMatch(/laptop +delegate +\$5\.0000 +\$0\.0000 +\$0\.0000 +\$4\.5000 +2/);
  expect(JSON.parse((await shell.run('token', 'ls', '--json')).stdout)).toMatchObject([
    { name: 'laptop', uncertainNanoUsd: 4_500_000_000, isExpired: false, lastUsedAt: expect.any(String) },
  ]);
  expect((await shell.run('status')).stdout).toMatch(/Budget of clients.*laptop \$4\.5000 of \$5\.0000/);
  expect((await shell.run('budget')).stdout).toContain('client laptop: $5.0000');
  expect((await shell.run('budget', '6', '--client', 'laptop')).stdout).toContain('Budget of client laptop: $6.0000');

  const removed = await shell.run('token', 'rm', 'laptop');
  expect(removed).toMatchObject({ code: 0, stderr: '' });
  expect(removed.stdout).toContain('its token is refused from now on');
  expect(await findClient(redis.db, token)).toBeNull();
  expect((await shell.run('budget', '0', '--client', 'laptop')).code).toBe(0);
  expect((await shell.run('token', 'ls')).stdout).toContain('No clients.');
}, 60_000);

it.each([
  [['add', 'two words', '--role', 'read'], 2, 'client: expected no white space'],
  [['add', 'x', '--role', 'delegate', '--budget', 'NaN'], 2, 'Expected dollars'],
  [['rm', 'nobody'], 1, 'client nobody: there is none of this name'],
])('explains a wrong `fleet token %j`, exit %d', async (args, exit, words) => {
  const { code, stderr } = await shell.run('token', ...args);
  expect(stderr).toContain(words);
  expect(code).toBe(exit);
});
