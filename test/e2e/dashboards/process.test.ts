import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { readPatch } from '../../../src/patches/record.ts';
import { makePatch, makePersonRepository } from '../../support/patches/person-repository.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const main = fileURLToPath(new URL('../../../dist/dashboards/server.js', import.meta.url));
const fixture = useRedis();

function start(env: Record<string, string>) {
  const said: string[] = [];
  const child: ChildProcess = fork(main, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { PATH: process.env['PATH'], FLEET_HOME: fixture.folder, FLEET_DATA: fixture.folder, ...env },
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  fixture.cleanup(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  /** Waits for `ready`, as pm2 does; if the process ends before, returns its output. */
  const ready = async () => {
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(said.join(''))));
    await Promise.race([once(child, 'message'), ended]);
    ended.catch(() => undefined); // the test reads its end
  };
  return { child, ready, text: () => said.join('') };
}

const statusOf = (port: number) => fetch(`http://127.0.0.1:${port}/api/status`).then((answer) => answer.status);

it('listens before Redis is there, says so, works when it comes, and ends under a page that follows it', async () => {
  await fixture.kill();
  const port = await findFreePort();
  const { child, ready } = start({ DASHBOARD_PORT: String(port), REDIS_URL: fixture.url, FLEET_SWARM: fixture.swarm });
  await ready();
  expect(await statusOf(port)).toBe(503);
  await fixture.start();
  await waitUntil(async () => (await statusOf(port)) === 200);
  const stream = await fetch(`http://127.0.0.1:${port}/api/events?of=overview`);
  expect(stream.status).toBe(200);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  await expect(stream.text()).rejects.toThrow('terminated');
});

it('ends on SIGTERM while Redis is away', async () => {
  const port = await findFreePort();
  const { child, ready } = start({ DASHBOARD_PORT: String(port), REDIS_URL: fixture.url, FLEET_SWARM: fixture.swarm });
  await ready();
  await waitUntil(async () => (await statusOf(port)) === 200);
  await fixture.kill();
  await waitUntil(async () => (await statusOf(port)) === 503);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  await fixture.start();
});

it('ends a change of a workspace before it ends', async () => {
  const person = makePersonRepository();
  const work = (tree: typeof person) => tree.write({ 'a.txt': 'TWO\n' });
  const { findingId, head } = await makePatch(fixture.db, person, 'task-1', { work });
  const port = await findFreePort();
  const { child, ready } = start({
    DASHBOARD_PORT: String(port),
    REDIS_URL: fixture.url,
    FLEET_SWARM: fixture.swarm,
    FLEET_WORKSPACES: `site=${person.root}`,
  });
  await ready();
  await waitUntil(async () => (await statusOf(port)) === 200);
  const answer = fetch(`http://127.0.0.1:${port}/api/patches/${findingId}/apply`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ head }),
  });
  await waitUntil(() => existsSync(join(person.root, '.git/haiku-fleet'))); // it has begun
  child.kill('SIGTERM');
  expect((await answer).status).toBe(200);
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(person.git('rev-list', '--count', 'HEAD')).toBe('2');
  expect(await readPatch(fixture.db, findingId)).toMatchObject({ state: 'applied' });
});

it('says that its port is taken and is not restarted', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  fixture.cleanup(() => other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { child, text } = start({ DASHBOARD_PORT: String(port), REDIS_URL: fixture.url });
  expect(await once(child, 'close')).toEqual([78, null]);
  expect(text()).toContain(`DASHBOARD_PORT: port ${port} on 127.0.0.1 is taken`);
});

it('refuses to be open to the network without a password', async () => {
  const { child, text } = start({ DASHBOARD_HOST: '0.0.0.0', DASHBOARD_PORT: '0', REDIS_URL: fixture.url });
  expect(await once(child, 'close')).toEqual([78, null]);
  expect(text()).toContain('DASHBOARD_HOST: expected a loopback address while DASHBOARD_PASSWORD is not set');
});
