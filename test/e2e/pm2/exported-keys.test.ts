import { hash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFleet } from '../../../src/api/open-fleet.ts';
import { loadConfig } from '../../../src/config/environment.ts';
import { packageFolder } from '../../../src/config/package-folder.ts';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { runFleet } from '../../support/process/fleet-command.ts';
import { usePm2 } from '../../support/process/pm2.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const pm2 = usePm2();

const KEY = ['a-key', 'of-a-shell', '123456'].join('-');

/** A provider that answers, and a fleet of one worker whose `.env` has no key. */
async function configure() {
  const provider = await startAnthropicSimulator({ latencyMs: 20 });
  redis.cleanup(() => provider.close());
  pm2.configure({
    REDIS_URL: redis.url,
    FLEET_SWARM: redis.swarm,
    FLEET_OFFLINE: '1',
    FLEET_HAIKU_PROCESSES: '1',
    DASHBOARD_PORT: String(await findFreePort()),
    ANTHROPIC_BASE_URL: provider.url,
  });
  return provider;
}

const folder = () => join(pm2.folder, 'pm2');
const handedOver = () => readdirSync(folder()).filter((name) => name.endsWith('.secrets.json'));

it('an exported key reaches the workers, and nothing that pm2 shows or saves', async () => {
  const provider = await configure();
  const env = { ...pm2.env, ANTHROPIC_API_KEY: KEY };
  expect(await runFleet(['up'], env, pm2.folder)).toMatchObject({ code: 0 });
  const fleet = await openFleet(loadConfig(pm2.env));
  redis.cleanup(() => fleet.close());
  const callAndSeeKey = async () => {
    provider.clearLog();
    await (await fleet.tasks.add({ description: 'Say hello.' })).finding({ timeoutMs: 20_000 });
    return provider.requests().some(({ keyHash }) => hash('sha256', KEY).startsWith(keyHash ?? '-'));
  };
  expect(await callAndSeeKey()).toBe(true);

  const listed = await pm2.list();
  const pids = [Number(readFileSync(join(folder(), 'pm2.pid'), 'utf8')), ...listed.map(({ pid }) => pid)];
  expect(pids.length).toBeGreaterThan(3);
  for (const pid of pids) expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(KEY);
  await runFleet(['up'], env, pm2.folder);
  await pm2.pm2('save');
  expect(readFileSync(join(folder(), 'dump.pm2'), 'utf8')).toContain('haiku');
  expect(readFileSync(join(folder(), 'dump.pm2'), 'utf8')).not.toContain(KEY);
  expect(await pm2.pm2('jlist')).not.toContain(KEY);
  const [file = ''] = handedOver();
  expect(statSync(join(folder(), file)).mode & 0o777).toBe(0o600);

  const worker = listed.find(({ name }) => name.endsWith('-haiku'));
  process.kill(worker?.pid ?? 0, 'SIGKILL');
  await waitUntil(async () => (await pm2.list()).every(({ status }) => status === 'online'));
  expect(await callAndSeeKey()).toBe(true); // pm2 started it again, without a shell

  writeFileSync(join(folder(), 'dump.pm2'), JSON.stringify([{ env: { ANTHROPIC_API_KEY: KEY } }], null, 2));
  const doctor = await runFleet(['doctor'], env, pm2.folder);
  expect(doctor.stdout).toMatch(/❌ pm2 save +.*dump\.pm2 holds a secret in line 4/);
  expect(doctor.stdout).not.toContain(KEY);
  await fleet.close();
  await pm2.fleet('down');
  expect(handedOver()).toEqual([]);

  // pm2's own start stores the variables of its shell by itself.
  const only = [join(packageFolder, 'ecosystem.config.js'), '--only', `${redis.swarm}-haiku`];
  await pm2.pm2WithEnv(env, 'start', ...only);
  await pm2.pm2WithEnv(env, 'restart', ...only);
  expect((await pm2.list()).map(({ status }) => status)).toEqual(['online']);
  expect(await pm2.pm2('jlist')).not.toContain(KEY);
  expect(handedOver()).toHaveLength(1);
  await pm2.fleet('down', '--now');
});
