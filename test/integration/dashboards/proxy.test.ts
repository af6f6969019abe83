import { describe, expect, it } from 'vitest';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { askProxy, PROXY_NAME, startHttpsProxy, type ProxyOptions } from '../../support/https-proxy.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const fixture = useRedis();

async function startBehind(options: ProxyOptions) {
  const proxy = await startHttpsProxy(options);
  fixture.cleanup(() => proxy.close());
  const dashboard = await startDashboard(fixture, {
    DASHBOARD_PASSWORD: TEST_PASSWORD,
    DASHBOARD_PUBLIC_URL: proxy.url,
  });
  proxy.passTo(dashboard.port);
  const { origin } = new URL(proxy.url);
  const ask = (path: string, init: Parameters<typeof askProxy>[2] = {}) => askProxy(proxy, options.prefix + path, init);
  const login = (headers: Record<string, string> = { origin, 'sec-fetch-site': 'same-origin' }) =>
    ask('/login', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ user: 'fleet', password: TEST_PASSWORD, next: '/findings' }).toString(),
    });
  return { proxy, dashboard, origin, ask, login };
}

const cookiesOf = (answer: { headers: Record<string, string | string[] | undefined> }) =>
  (answer.headers['set-cookie'] as string[] | undefined) ?? [];

describe.each([
  { prefix: '', strips: false, keepsHost: true },
  { prefix: '', strips: false, keepsHost: false },
  { prefix: '/tools/fleet', strips: true, keepsHost: true },
  { prefix: '/tools/fleet', strips: true, keepsHost: false },
  { prefix: '/tools/fleet', strips: false, keepsHost: true },
  { prefix: '/tools/fleet', strips: false, keepsHost: false },
])('behind a proxy for TLS with %j', (options) => {
  const { prefix } = options;

  it('a person logs in, and every link, redirect and cookie stays below the public address', async () => {
    const { ask, login, origin } = await startBehind(options);
    const first = await ask('/findings', { headers: { accept: 'text/html' } });
    expect([first.status, first.headers['location']]).toEqual([303, `${prefix}/login?next=%2Ffindings`]);
    const page = await ask('/login');
    expect(page.text).toContain(`action="${prefix}/login"`);
    const links = [...page.text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(2);
    expect(links.every((link) => link.startsWith(`${prefix}/`))).toBe(true);

    const entered = await login();
    expect([entered.status, entered.headers['location']]).toEqual([303, `${prefix}/findings`]);
    for (const cookie of cookiesOf(entered)) {
      expect(cookie).toContain(`Path=${prefix === '' ? '/' : prefix};`);
      expect(cookie).toMatch(/HttpOnly; Secure; SameSite=Strict/);
    }
    const cookie = cookiesOf(entered)
      .map((text) => text.split(';')[0])
      .join('; ');
    expect((await ask('/api/status', { headers: { cookie } })).status).toBe(200);
    for (const path of ['/', '/findings', '/findings/x', '/patches/x', '/queues', '/queues/queue/tasks']) {
      const { status, text } = await ask(path, { headers: { cookie, accept: 'text/html' } });
      expect(status, path).toBe(200);
      const bad = [...text.matchAll(/(?:href|src)="(\/[^"]*)"/g)].filter(
        ([, link = '']) => !link.startsWith(`${prefix}/`),
      );
      expect(bad, path).toEqual([]);
    }
    expect((await ask('/queues', { headers: { cookie } })).text).toContain(`<base href="${prefix}/queues/"`);
    const add = await ask('/queues/api/queues/tasks/add', {
      method: 'POST',
      headers: { cookie, origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'task', data: { description: 'x' } }),
    });
    expect(add.status).toBe(200);
    const out = await ask('/logout', {
      method: 'POST',
      headers: { cookie, origin, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(cookiesOf(out)[0]).toContain(`Path=${prefix === '' ? '/' : prefix};`);
    expect((await ask('/api/status', { headers: { cookie } })).status).toBe(401);
  });

  it('what comes from elsewhere is refused as strictly as without it', async () => {
    const { dashboard, login, origin, ask, proxy } = await startBehind(options);
    for (const wrong of [
      'https://evil.example',
      `https://${PROXY_NAME}`,
      `http://${PROXY_NAME}:${proxy.port}`,
      `${origin}.evil.example`,
      'null',
    ]) {
      expect((await login({ origin: wrong })).status, wrong).toBe(403);
    }
    expect((await login({ origin, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    // A stranger may send what only a proxy should.
    const forwarded = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
    expect((await login({ origin: 'https://evil.example', ...forwarded })).status).toBe(403);
    expect((await ask('/api/status', { headers: { 'x-forwarded-for': '127.0.0.1' } })).status).toBe(401);
    if (options.keepsHost) expect((await ask('/healthz', { headers: { host: 'evil.example' } })).status).toBe(403);
    expect((await dashboard.ask('/healthz')).status).toBe(200);
  });
});

it('a browser of this machine uses the dashboard without the proxy, too', async () => {
  const { dashboard } = await startBehind({ prefix: '/fleet', strips: true, keepsHost: true });
  const answer = await dashboard.send(
    'POST',
    '/login',
    { user: 'fleet', password: TEST_PASSWORD },
    { origin: dashboard.base },
  );
  expect(answer.status).toBe(204);
  const cookie = answer.headers.get('set-cookie') ?? '';
  expect(cookie).toContain('Path=/;');
  expect(cookie).not.toContain('Secure');
  const page = await dashboard.ask('/fleet/findings', { headers: { cookie: cookie.split(';')[0] ?? '' } });
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('href="/fleet/queues"')]);
});
