import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { startFleet } from '../../support/process/fleet-command.ts';
import { usePm2 } from '../../support/process/pm2.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const pm2 = usePm2();

async function configure() {
  pm2.configure({
    REDIS_URL: redis.url,
    FLEET_SWARM: redis.swarm,
    FLEET_OFFLINE: '1',
    FLEET_HAIKU_PROCESSES: '2',
    DASHBOARD_PORT: String(await findFreePort()),
  });
}

const start = (...args: string[]) => startFleet(args, pm2.env, pm2.folder);

/** How many processes of each kind run; those that start are counted. */
async function counts(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { name } of await pm2.list()) {
    const kind = name.slice(name.lastIndexOf('-') + 1);
    found[kind] = (found[kind] ?? 0) + 1;
  }
  return found;
}

const WHOLE = { dashboard: 1, coordinator: 1, haiku: 2, librarian: 1 };

it('commands at the same moment take turns, also after one that was killed half way', async () => {
  await configure();
  const killed = start('up');
  const log = join(pm2.folder, 'pm2/pm2.log');
  await waitUntil(() => existsSync(log) && /-haiku:\d+\] starting/.test(readFileSync(log, 'utf8')));
  killed.child.kill('SIGKILL');
  await killed.done;

  const ups = await Promise.all([start('up').done, start('up').done]);
  for (const up of ups) {
    expect(up).toMatchObject({ code: 0 });
    expect(up.stdout).toContain('2 × ');
  }
  expect(ups.map(({ stderr }) => stderr).join('')).toMatch(/Waiting for `fleet up` \(pid \d+\)/);
  expect(await counts()).toEqual(WHOLE);

  const all = await Promise.all([start('down').done, start('reload').done, start('up').done]);
  for (const one of all) expect(one).toMatchObject({ code: 0 });
  expect([{}, WHOLE]).toContainEqual(await counts()); // in the order in which they began
  await pm2.fleet('down');
});
