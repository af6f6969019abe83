import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFleet, type OpenFleet } from '../../../src/api/open-fleet.ts';
import { loadConfig } from '../../../src/config/environment.ts';
import { packageFolder } from '../../../src/config/package-folder.ts';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { startFleet } from '../../support/process/fleet-command.ts';
import { usePm2 } from '../../support/process/pm2.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { isAlive, waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const pm2 = usePm2();

/** The simulated provider, in this process: its log is the provider's own count. */
async function startProvider() {
  const simulator = await startAnthropicSimulator({ latencyMs: 20 });
  redis.cleanup(() => simulator.close());
  return simulator;
}

async function configure(more: Record<string, string> = {}) {
  pm2.configure({
    REDIS_URL: redis.url,
    FLEET_SWARM: redis.swarm,
    FLEET_OFFLINE: '1',
    FLEET_HAIKU_PROCESSES: '2',
    FLEET_WORKSPACES: `here=${pm2.folder}`,
    DASHBOARD_PORT: String(await findFreePort()),
    ...more,
  });
}

async function connect(): Promise<OpenFleet> {
  const fleet = await openFleet(loadConfig(pm2.env));
  redis.cleanup(() => fleet.close());
  return fleet;
}

const count = (listed: { name: string }[], kind: string) =>
  listed.filter(({ name }) => name.endsWith(`-${kind}`)).length;

describe('fleet up and down', () => {
  it('bring the fleet up once, however often up is called, and end it without touching what else pm2 runs', async () => {
    await configure();
    const alien = join(pm2.folder, 'alien.cjs');
    writeFileSync(alien, 'setInterval(() => {}, 1000);');
    await pm2.pm2('start', alien, '--name', 'dashboard');

    const up = await pm2.fleet('up');
    expect(up).toMatchObject({ code: 0, stderr: '' });
    expect(up.stdout).toMatch(/1 × \w+-dashboard, 1 × \w+-coordinator, 2 × \w+-haiku, 1 × \w+-librarian/);
    expect(up.stdout).toMatch(/Dashboard: +http:\/\/127\.0\.0\.1:\d+/);
    expect(up.stdout).toMatch(/Budget: +\$5\.0000 a day/);
    const first = await pm2.list();

    expect((await pm2.fleet('up')).code).toBe(0);
    expect(await pm2.list()).toEqual(first);

    expect((await pm2.fleet('up', '--haiku', '3')).code).toBe(0);
    const more = await pm2.list();
    expect([count(more, 'haiku'), count(more, 'dashboard')]).toEqual([3, 1]);
    expect(more.filter(({ pid }) => first.some((old) => old.pid === pid))).toHaveLength(6);

    const logs = join(pm2.folder, 'pm2/logs');
    const log = readdirSync(logs).find((name) => /-haiku-out/.test(name)) ?? '';
    appendFileSync(join(logs, log), 'x'.repeat(11 * 2 ** 20));
    await waitUntil(() => existsSync(join(logs, `${log}.1`)) && statSync(join(logs, log)).size < 2 ** 20, {
      what: 'the large log file put aside',
    });

    expect((await pm2.fleet('down')).stdout).toMatch(/Ended 6 processes/);
    expect(await pm2.list()).toMatchObject([{ name: 'dashboard', status: 'online' }]);
    expect((await pm2.fleet('down')).stdout).toMatch(/Nothing was running/);
  });

  it('name a process that ends at once, with its own words, and leave the others up', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    redis.cleanup(() => squatter.close());
    const address = squatter.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await configure({ DASHBOARD_PORT: String(port) });

    const { code, stdout, stderr } = await pm2.fleet('up');
    expect(code).toBe(1);
    expect(stderr).toMatch(/❌ \w+-dashboard ended with exit code 78\n.*DASHBOARD_PORT: port \d+ .*taken/);
    expect(stdout).toMatch(/Running: +1 × \w+-coordinator, 2 × \w+-haiku/);
    await pm2.fleet('down');
  });

  it('start nothing where the environment is wrong or Redis is away, and say why', async () => {
    await configure({ FLEET_BUDGET_USD: 'lots', DASHBOARD_PORT: '99999' });
    const wrong = await pm2.fleet('up');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/FLEET_BUDGET_USD: .*lots[\s\S]*DASHBOARD_PORT: .*99999/);
    await configure({ FLEET_BUDGET_USD: '1', REDIS_URL: `redis://:secret-word@127.0.0.1:${await findFreePort()}` });
    const away = await pm2.fleet('up');
    expect(away.code).toBe(1);
    expect(away.stderr).toMatch(/^Error: Redis is not reachable at 127\.0\.0\.1:\d+; .*fleet up --embedded\n$/);
    expect(await pm2.list()).toEqual([]);
  });

  it('run a Redis of the fleet’s own, chosen once and used ever after', async () => {
    await configure({ REDIS_URL: '' });
    expect(await pm2.fleet('up', '--embedded')).toMatchObject({ code: 0 });
    const { REDIS_URL } = loadConfig(pm2.env);
    const fleet = await connect();
    const { id } = await fleet.tasks.add({ description: 'Say hello.' });
    await waitUntil(async () => (await fleet.inner.queues.tasks.getJobState(id)) === 'completed');
    await fleet.close();
    expect((await pm2.fleet('doctor')).stdout).toMatch(/REDIS_URL +127\.0\.0\.1:\d+ \(the fleet's own Redis\)/);
    await pm2.fleet('down');
    expect((await pm2.fleet('status')).stderr).toMatch(/not reachable at .*; it is the fleet's own .*: fleet up\n$/);
    expect((await pm2.fleet('up')).stdout).toContain(REDIS_URL.replace('redis://', ''));
    const again = await connect();
    expect(await again.inner.queues.tasks.getJobState(id)).toBe('completed');
    expect((await pm2.fleet('up', '--no-embedded')).stderr).toMatch(/fleet down/);
    await again.close();
    await pm2.fleet('down');
  });

  it('come up from the ecosystem file alone', async () => {
    await configure();
    await pm2.pm2('start', join(packageFolder, 'ecosystem.config.js'));
    const listed = await waitUntil(async () => {
      const all = await pm2.list();
      return all.length === 5 && all.every(({ status }) => status === 'online') ? all : null;
    });
    const kinds = ['haiku', 'dashboard', 'coordinator', 'librarian'];
    expect(kinds.map((kind) => count(listed ?? [], kind))).toEqual([2, 1, 1, 1]);
    await pm2.fleet('down');
  });
});

describe('fleet reload', () => {
  it('gives pm2 the patience for longer calls', async () => {
    await configure({ FLEET_CALL_TIMEOUT_MS: '60000' });
    await pm2.fleet('up');
    expect(new Set((await pm2.list()).map(({ killTimeoutMs }) => killTimeoutMs))).toEqual(new Set([90_000]));
    await configure({ FLEET_CALL_TIMEOUT_MS: '1800000' });
    expect(await pm2.fleet('reload')).toMatchObject({ code: 0 });
    const listed = await pm2.list();
    expect(new Set(listed.map(({ killTimeoutMs }) => killTimeoutMs))).toEqual(new Set([1_830_000]));
    expect(listed.every(({ status }) => status === 'online')).toBe(true);
    await pm2.fleet('down');
  });
});

describe('fleet down', () => {
  it('says what it waits for, and gives up with a reason when pm2’s daemon dies meanwhile', async () => {
    const provider = await startProvider();
    await configure({ ANTHROPIC_BASE_URL: provider.url });
    await pm2.fleet('up');
    const workers = (await pm2.list()).map(({ pid }) => pid);
    redis.cleanup(async () => {
      for (const pid of workers) if (await isAlive(pid)) process.kill(pid, 'SIGKILL');
    });
    const fleet = await connect();
    await fleet.tasks.add({ description: 'Say hello. [[latency:100000]]' });
    await waitUntil(() => provider.requests().length > 0);

    const down = startFleet(['down'], pm2.env, pm2.folder);
    await waitUntil(() => down.output().includes('1 of 5 processes still up'), { what: 'its first words' });
    expect(down.output()).toContain('Waiting for running model calls to end and be stored');
    process.kill(Number(readFileSync(join(pm2.folder, 'pm2/pm2.pid'), 'utf8')), 'SIGKILL');
    expect(await down.done).toMatchObject({ code: 1 });
    expect(down.output()).toMatch(/Error: pm2's daemon \(pid \d+\) died when it was to end process \d+\. .*fleet up/);
    expect(await pm2.fleet('down')).toMatchObject({ code: 0, stdout: 'Nothing was running.\n' });
    await fleet.close();
  });
});

describe('pm2 kill', () => {
  it('ends an idle fleet with its own Redis, the workers with their goodbyes said', async () => {
    await configure({ REDIS_URL: '' });
    expect(await pm2.fleet('up', '--embedded')).toMatchObject({ code: 0 });
    const { REDIS_URL } = loadConfig(pm2.env);
    const pids = (await pm2.list()).map(({ pid }) => pid);
    const names = (await (await connect()).status()).workers.map(({ id }) => id);
    expect(names).toHaveLength(2);
    await pm2.pm2('kill');
    for (const pid of pids) expect(await isAlive(pid)).toBe(false);
    await pm2.fleet('up');
    expect(loadConfig(pm2.env).REDIS_URL).toBe(REDIS_URL);
    expect((await (await connect()).status()).workers).toHaveLength(2);
    await pm2.fleet('down');
  });
});

describe('under load', () => {
  /** Tasks of three slow calls: most are in the middle of one when the processes are killed. The long form: FLEET_TEST_CALL_MS=60000. */
  const CALL_MS = Number(process.env.FLEET_TEST_CALL_MS ?? 1_500);
  const LONGEST_MS = 120_000 + 8 * CALL_MS;
  const SLOW = { description: `Say hello. [[turns:3]] [[latency:${CALL_MS}]]`, workspace: 'here' };
  const TASKS = 12;

  async function enqueueSlowTasks(fleet: OpenFleet): Promise<string[]> {
    const handles = await Promise.all(Array.from({ length: TASKS }, () => fleet.tasks.add(SLOW)));
    return handles.map(({ id }) => id);
  }

  async function waitForAll(fleet: OpenFleet, ids: string[]) {
    const states = async () => Promise.all(ids.map((id) => fleet.inner.queues.tasks.getJobState(id)));
    await waitUntil(async () => (await states()).every((state) => state === 'completed' || state === 'failed'), {
      timeoutMs: 60_000 + 4 * CALL_MS,
      what: 'the end of every task',
    });
    expect(new Set(await states())).toEqual(new Set(['completed']));
  }

  for (const [name, blow] of [
    ['fleet down and up', async () => [await pm2.fleet('down'), await pm2.fleet('up')]],
    ['fleet reload', () => pm2.fleet('reload')],
    ['pm2 reload', () => pm2.pm2('reload', 'all')],
  ] as const) {
    it(
      `${name} loses no task, kills no call and makes none twice`,
      async () => {
        const provider = await startProvider();
        await configure({ ANTHROPIC_BASE_URL: provider.url });
        await pm2.fleet('up');
        const fleet = await connect();
        const ids = await enqueueSlowTasks(fleet);
        await waitUntil(() => provider.requests().length >= TASKS, {
          timeoutMs: 15_000 + 2 * CALL_MS,
          what: 'calls under way',
        });
        const before = (await pm2.list()).map(({ pid }) => pid);

        await blow();

        for (const pid of before) expect(await isAlive(pid)).toBe(false);
        await waitForAll(fleet, ids);
        const served = provider.served();
        expect(Object.keys(served.byUser).toSorted()).toEqual(ids.toSorted());
        for (const id of ids) expect(served.byUser[id]?.calls).toBe(3);
        expect(provider.requests().filter(({ clientGone }) => clientGone)).toEqual([]);
        const status = await fleet.status();
        expect(status.findings.live).toBe(TASKS);
        await fleet.close();
        await pm2.fleet('down');
      },
      LONGEST_MS,
    );
  }

  it('down --now ends within its five seconds what hangs in a call, and the tasks go on later', async () => {
    const provider = await startProvider();
    await configure({ ANTHROPIC_BASE_URL: provider.url });
    await pm2.fleet('up');
    const fleet = await connect();
    const { id } = await fleet.tasks.add({ description: 'Say hello. [[latency:100000]]' });
    await waitUntil(() => provider.requests().length > 0);
    expect((await pm2.fleet('down', '--now')).stdout).toMatch(/Ended 5 processes/);
    expect(['waiting', 'active']).toContain(await fleet.inner.queues.tasks.getJobState(id));
    await fleet.close();
  });
});

describe('an edited .env', () => {
  it('gives the next call its new key after pm2 reload', async () => {
    const provider = await startProvider();
    const [oldKey, newKey] = ['key-before-the-edit', 'key-after-the-edit'];
    await configure({ ANTHROPIC_BASE_URL: provider.url, ANTHROPIC_API_KEY: oldKey });
    await pm2.fleet('up');
    const fleet = await connect();
    const first = await fleet.tasks.add({ description: 'Say hello.' });
    await first.finding();
    const hashes = () => [...new Set(provider.requests().map(({ keyHash }) => keyHash))];
    const [oldHash] = hashes();

    pm2.configure({ ANTHROPIC_API_KEY: newKey });
    await pm2.pm2('reload', 'all');
    provider.clearLog();
    const second = await fleet.tasks.add({ description: 'Say hello again.' });
    await second.finding();
    expect(hashes()).toHaveLength(1);
    expect(hashes()[0]).not.toBe(oldHash);
    await fleet.close();
    await pm2.fleet('down');
  });
});
