import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { buildApp } from '../../../dashboards/app.ts';
import { createTurns } from '../../../dashboards/patches/turns.ts';
import { ConfigError } from '../../../src/errors.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const fixture = useRedis();
const withLogin = { DASHBOARD_PASSWORD: TEST_PASSWORD };
const basic = (password: string) => ({
  authorization: `Basic ${Buffer.from(`fleet:${password}`).toString('base64')}`,
});

/** `fetch` sets Host itself; a rebinding page's request is made by hand. */
function askAs(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/healthz', headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject).end();
  });
}

it('tells a browser by a page, with the links of all pages, that nothing is under an address', async () => {
  const { ask } = await startDashboard(fixture);
  const page = await ask('/nope', { headers: { accept: 'text/html' } });
  expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  const text = await page.text();
  expect(text).toContain('There is nothing under this address');
  expect(text).toContain('<a href="/tasks">Tasks</a>');
  const program = await ask('/nope');
  expect([program.status, await program.json()]).toMatchObject([404, { error: 'path' }]);
});

describe('who may come in', () => {
  it('sends a browser to the login page and a program away with 401', async () => {
    const { ask } = await startDashboard(fixture, withLogin);
    const page = await ask('/findings?text=x', { headers: { accept: 'text/html' } });
    expect(page.status).toBe(303);
    expect(page.headers.get('location')).toBe('/login?next=%2Ffindings%3Ftext%3Dx');
    for (const path of ['/api/status', '/metrics', '/queues/api/queues', '/api/findings']) {
      expect((await ask(path)).status, path).toBe(401);
    }
  });

  it('keeps a signed session after the right password, and none after a wrong one', async () => {
    const { ask, send } = await startDashboard(fixture, withLogin);
    const wrong = await send('POST', '/login', { user: 'fleet', password: 'wrong horse' });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('set-cookie')).toBeNull();
    const right = await send('POST', '/login', { user: 'fleet', password: TEST_PASSWORD });
    const cookie = right.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    const session = cookie.split(';')[0] ?? '';
    expect((await ask('/api/status', { headers: { cookie: session } })).status).toBe(200);
    const forged = session.replace(/=\d+/, '=99999999999999');
    expect((await ask('/api/status', { headers: { cookie: forged } })).status).toBe(401);
  });

  it('lets scripts in by HTTP basic authentication', async () => {
    const { ask } = await startDashboard(fixture, withLogin);
    expect((await ask('/api/status', { headers: basic(TEST_PASSWORD) })).status).toBe(200);
    expect((await ask('/api/status', { headers: basic('nope') })).status).toBe(401);
  });

  it('lets those with the second password read, and change nothing', async () => {
    const readPassword = `${TEST_PASSWORD} for reading`;
    const { ask, send } = await startDashboard(fixture, { ...withLogin, DASHBOARD_READ_PASSWORD: readPassword });
    const login = await send('POST', '/login', { user: 'fleet', password: readPassword });
    const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    for (const headers of [{ cookie }, basic(readPassword)]) {
      expect(await (await ask('/api/login', { headers })).json()).toEqual({ required: true, role: 'read' });
      expect((await ask('/api/status', { headers })).status).toBe(200);
      const queues = (await (await ask('/queues/api/queues', { headers })).json()) as {
        queues: { readOnlyMode: boolean }[];
      };
      expect(queues.queues.map(({ readOnlyMode }) => readOnlyMode)).toEqual([true, true, true]);
      const changes = [
        '/api/halt',
        '/api/jobs/cancel',
        '/api/rules/x',
        '/api/ask',
        '/queues/api/queues/tasks/clean/failed',
      ];
      for (const path of changes) {
        const sent = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' };
        expect(await (await ask(path, sent)).json(), path).toMatchObject({ error: 'role' });
      }
    }
    const operator = await ask('/api/login', { headers: basic(TEST_PASSWORD) });
    expect(await operator.json()).toEqual({ required: true, role: 'operate' });
  });

  it.each([
    [{ DASHBOARD_READ_PASSWORD: TEST_PASSWORD }, /expected DASHBOARD_PASSWORD beside it/],
    [{ ...withLogin, DASHBOARD_READ_PASSWORD: TEST_PASSWORD }, /expected another password/],
  ])('refuses a second password that protects nothing', async (env, problem) => {
    await expect(startDashboard(fixture, env)).rejects.toThrow(problem);
  });

  it('slows an address down after some wrong passwords, and lets in the right one and who is in already', async () => {
    const { ask, send } = await startDashboard(fixture, withLogin);
    const right = { user: 'fleet', password: TEST_PASSWORD };
    const cookies = (await send('POST', '/login', right)).headers
      .getSetCookie()
      .map((text) => text.split(';')[0] ?? '');
    for (let i = 0; i < 5; i += 1)
      expect((await ask('/api/status', { headers: basic(`wrong-${i}`) })).status).toBe(401);
    const flood = Array.from({ length: 9 }, (_, i) => ask('/api/status', { headers: basic(`flood-${i}`) }));
    expect((await ask('/api/status', { headers: { cookie: cookies.join('; ') } })).status).toBe(200);
    const known = cookies.find((text) => text.startsWith('fleet_known_')) ?? '';
    expect((await send('POST', '/login', right, { cookie: known })).status).toBe(204); // not after the flood
    const answers = await Promise.all(flood);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    expect((await send('POST', '/login', right)).status).toBe(204);
  }, 40_000);

  it('ends a session for good with the log-out, also for a dashboard that starts later', async () => {
    const { ask, send } = await startDashboard(fixture, withLogin);
    const login = await send('POST', '/login', { user: 'fleet', password: TEST_PASSWORD });
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect((await ask('/api/status', { headers: { cookie } })).status).toBe(200);
    await send('POST', '/logout', {}, { cookie });
    expect((await ask('/api/status', { headers: { cookie } })).status).toBe(401);
    const later = await startDashboard(fixture, withLogin);
    const [name = '', value = ''] = cookie.split('=');
    const renamed = `${name.replace(/\d+$/, String(later.port))}=${value}`;
    expect((await later.ask('/api/status', { headers: { cookie: renamed } })).status).toBe(401);
  });

  it('goes on after the login to a path of its own only', async () => {
    const { ask } = await startDashboard(fixture, withLogin);
    const login = (next: string) =>
      ask('/login', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ user: 'fleet', password: TEST_PASSWORD, next }),
      });
    expect((await login('/findings')).headers.get('location')).toBe('/findings');
    for (const foreign of ['https://example.org/', '//example.org', '/\\example.org']) {
      expect((await login(foreign)).headers.get('location'), foreign).toBe('/');
    }
  });

  it('asks for no login without a password, on loopback', async () => {
    const { ask } = await startDashboard(fixture);
    expect((await ask('/api/status')).status).toBe(200);
  });

  it('refuses another address than loopback without a password', async () => {
    const { config, db, queues, others, mcp } = await startDashboard(fixture);
    const open = { ...config, DASHBOARD_HOST: '0.0.0.0' };
    const log = { warn: () => undefined } as never;
    expect(() => buildApp({ config: open, db, queues, others, log, mcp, changes: createTurns() })).toThrow(ConfigError);
  });
});

describe('what a page of another site can do', () => {
  it('is refused under a name that is not the dashboard', async () => {
    const { port } = await startDashboard(fixture);
    expect(await askAs(port, `127.0.0.1:${port}`)).toBe(200);
    expect(await askAs(port, `localhost:${port}`)).toBe(200);
    expect(await askAs(port, `[::1]:${port}`)).toBe(200);
    expect(await askAs(port, `rebound.example:${port}`)).toBe(403);
    expect(await askAs(port, '192.0.2.7')).toBe(403);
  });

  it('cannot change anything: foreign origin, foreign site, another content type', async () => {
    const { base, ask, send, queues } = await startDashboard(fixture);
    const add = '/queues/api/queues/tasks/add';
    const job = { name: 'task', data: { description: 'x' } };
    expect((await send('POST', add, job, { origin: 'http://localhost:1' })).status).toBe(403);
    expect((await send('POST', add, job, { origin: 'null' })).status).toBe(403);
    expect((await send('POST', add, job, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await send('POST', add, job, { 'sec-fetch-site': 'same-site' })).status).toBe(403);
    const asText = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: JSON.stringify(job) };
    expect((await ask(add, asText)).status).toBe(415);
    expect((await ask(add, { method: 'POST' })).status).toBe(415);
    const asForm = { method: 'POST', body: new URLSearchParams({ name: 'task' }) };
    expect((await ask(add, asForm)).status).toBe(415);
    expect(await queues.tasks.getJobCountByTypes('wait')).toBe(0);
    expect((await send('POST', add, job, { origin: base, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  });

  it('cannot frame it, and no page loads from elsewhere', async () => {
    const { ask } = await startDashboard(fixture);
    for (const path of ['/', '/queues', '/api/status']) {
      const { headers } = await ask(path);
      expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'");
      expect(headers.get('x-frame-options'), path).toBe('DENY');
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
      expect(headers.get('cache-control'), path).toBe('no-store');
    }
    expect(await (await ask('/queues')).text()).not.toContain('googleapis');
  });
});

describe('what errors say', () => {
  it('quotes nothing of a body that cannot be read', async () => {
    const { ask } = await startDashboard(fixture);
    const response = await ask('/queues/api/queues/tasks/add', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"description": "very private" oops',
    });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain('private');
  });

  it('logs a refused login without the password', async () => {
    const { send, lines } = await startDashboard(fixture, withLogin);
    await send('POST', '/login', { user: 'fleet', password: 'hunter2-hunter2' });
    expect(lines.join('\n')).toContain('login refused');
    expect(lines.join('\n')).not.toContain('hunter2');
  });
});
