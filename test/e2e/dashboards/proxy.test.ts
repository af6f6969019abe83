import { expect, it } from 'vitest';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { PROXY_NAME, startHttpsProxy } from '../../support/https-proxy.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const fixture = useRedis();
const chromium = findChromium();

it.skipIf(chromium === null)(
  'a person uses every page below a path of a proxy, and each says when Redis is away and comes back by itself',
  async () => {
    const proxy = await startHttpsProxy({ prefix: '/tools/fleet', strips: true, keepsHost: false });
    fixture.cleanup(() => proxy.close());
    const dashboard = await startDashboard(fixture, {
      DASHBOARD_PASSWORD: TEST_PASSWORD,
      DASHBOARD_PUBLIC_URL: proxy.url,
    });
    proxy.passTo(dashboard.port);
    await dashboard.queues.tasks.add('task', { description: 'Count the apples.' });

    const browser = await openBrowser(chromium ?? '', [PROXY_NAME]);
    fixture.cleanup(() => browser.close());
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const strays: string[] = [];
    page.on('response', (response) => {
      if (response.status() === 404 || !response.url().startsWith(proxy.url)) strays.push(response.url());
    });

    await page.goto(`${proxy.url}/findings`);
    await page.fill('input[name=user]', 'fleet');
    await page.fill('input[name=password]', TEST_PASSWORD);
    await page.click('button[type=submit]');
    await page.waitForURL(`${proxy.url}/findings`);
    await page.getByText('Nothing found.').waitFor();
    await page.fill('input[name=text]', 'apples');
    await page.click('button[type=submit]');
    await page.getByText('Nothing found.').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByText('All findings').or(page.getByText('Newest findings')).first().waitFor();
    await page.getByRole('link', { name: 'Queues' }).click();
    await page.getByText('tasks').first().waitFor();
    await page.goto(`${proxy.url}/queues/queue/tasks?status=waiting`);
    await page.getByText('Count the apples.').first().waitFor();
    expect((await context.cookies()).every(({ secure, path }) => secure && path === '/tools/fleet')).toBe(true);
    expect(strays).toEqual([]);

    await fixture.kill();
    const away = page.getByText(/Redis is not reachable/).first();
    for (const path of ['/', '/findings', '/findings/x', '/patches/x', '/queues']) {
      await page.goto(proxy.url + path);
      await away.waitFor();
    }
    await fixture.start();
    await page.getByText('tasks').first().waitFor(); // Bull Board, by itself
    await fixture.kill();
    await page.goto(`${proxy.url}/findings`);
    await away.waitFor();
    await fixture.start();
    await page.getByText('Nothing found.').waitFor();
    await away.waitFor({ state: 'hidden' });

    await page.locator('#logout').click();
    await page.waitForURL(`${proxy.url}/login`);
  },
);
