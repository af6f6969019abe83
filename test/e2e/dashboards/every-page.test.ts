import { createServer } from 'node:http';
import type { Browser, Page, Route } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { buildWaitingApp } from '../../../dashboards/app.ts';
import { listen } from '../../../dashboards/listen.ts';
import { renderPages } from '../../../dashboards/pages.ts';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { fillFleet, storeHostile, toHostileId } from '../../support/pages/fill-fleet.ts';
import { ALL_HOSTILE, eachHostile, HOSTILE, poison } from '../../support/pages/hostile.ts';
import {
  findBeside,
  findMade,
  openWatchedPage,
  untilFilled,
  type WatchedPage,
} from '../../support/pages/watched-page.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const executable = findChromium();
const redis = useRedis();
const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
/** What depends on the colours alone: the rest is looked at in light ones. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];
/** Questions before a change, each by its page and button. */
const QUESTIONS = [
  ['overview', 'Halt…'],
  ['overview', 'Day’s budget…'],
  ['a failed task', 'Retry'],
  ['a failed task', 'Edit and retry'],
  ['a batch', 'Retry 1 failed'],
  ['a patch', 'Apply'],
  ['a mission', 'Approve & run'],
  ['rules', 'Remove rule'],
] as const;
const LOOKS = [
  { size: WIDE, colorScheme: 'light' },
  { size: PHONE, colorScheme: 'light' },
  { size: WIDE, colorScheme: 'dark' },
  { size: PHONE, colorScheme: 'dark' },
] as const;

async function start(): Promise<Browser> {
  const browser = await openBrowser(executable ?? '');
  redis.cleanup(() => browser.close());
  return browser;
}

async function logIn(page: Page, base: string): Promise<void> {
  await page.goto(`${base}/login`);
  await page.getByLabel('User').fill('fleet');
  await page.getByLabel('Password').fill(TEST_PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await untilFilled(page);
}

/** What is wrong with a page as it is, in each size and in light and dark. @param within what is looked at for barriers */
async function look({ page, findBarriers }: WatchedPage, name: string, within = 'body'): Promise<string[]> {
  const wrong: string[] = [];
  for (const { size, colorScheme } of LOOKS) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    const found = await findBarriers(within, colorScheme === 'dark' ? OF_COLOURS : undefined);
    found.push(...(await findBeside(page)));
    wrong.push(...found.map((one) => `${name}, ${size.width} px, ${colorScheme}: ${one}`));
  }
  return wrong;
}

/** Whether an address is one of a page's: `/tasks/:id`. */
function isOf(path: string, address: string): boolean {
  const parts = address.replace('%2F', '/').split('/');
  const names = path.split('/');
  return names.length === parts.length && names.every((name, i) => name.startsWith(':') || name === parts[i]);
}

describe.skipIf(executable === null)('every page', () => {
  it('has no barrier, no error and nothing beside the screen, wide and on a phone, light and dark', async () => {
    const { env, paths } = await fillFleet(redis);
    const { base, config } = await startDashboard(redis, { ...env, DASHBOARD_PASSWORD: TEST_PASSWORD });
    const watched = await openWatchedPage(await start());
    const { page, problems } = watched;
    const walked = Object.values(paths).map((path) => path.replace(/\?.*/, ''));
    expect([...renderPages('').keys()].filter((path) => !walked.some((one) => isOf(path, one)))).toEqual([]);
    const wrong: string[] = [];
    await page.goto(`${base}/login`);
    wrong.push(...(await look(watched, 'login')));
    await logIn(page, base);
    for (const [name, path] of Object.entries(paths)) {
      await page.setViewportSize(WIDE);
      await page.goto(base + path);
      await untilFilled(page);
      wrong.push(...(await look(watched, name)));
    }
    for (const [name, button] of QUESTIONS) {
      await page.goto(base + paths[name]);
      await page.getByRole('button', { name: button }).first().click();
      await page.getByRole('dialog').waitFor();
      wrong.push(...(await watched.findBarriers('dialog')).map((one) => `${name}, ${button}: ${one}`));
    }
    await page.goto(`${base}/queues/queue/tasks?status=failed`);
    await page.locator('#root main').getByText('Rate the Pears').first().waitFor();
    wrong.push(...(await look(watched, 'raw queues', '.fleet-head')));

    const server = createServer(buildWaitingApp(config, () => ALL_HOSTILE));
    redis.cleanup(() => {
      server.closeAllConnections();
      server.close();
    });
    const away = await listen(server, config);
    expect(problems).toEqual([]);
    await page.goto(away);
    await page.getByText('This page loads itself again.').waitFor();
    wrong.push(...(await look(watched, 'away')), ...(await findMade(page)));
    expect(wrong).toEqual([]);
  });

  it('shows hostile texts as text, whatever field of whatever answer they are in', async () => {
    const { fleet, env, paths, instead } = await fillFleet(redis);
    const first = HOSTILE[0] ?? '';
    await fleet.when('Hostile1', { match: { grep: first }, task: ALL_HOSTILE });
    await storeHostile(redis);
    const { base } = await startDashboard(redis, env);
    const { page, problems, ran } = await openWatchedPage(await start());
    await page.setViewportSize(PHONE);
    const made: string[] = [];
    const check = async (name: string) => {
      const wrong = [...(await findMade(page)), ...(await findBeside(page))];
      made.push(...wrong.map((one) => `${name}: ${one}`));
    };

    // As Redis holds them.
    const lists = [
      '/',
      '/tasks?state=failed',
      '/findings',
      '/workers',
      '/batches?all=true',
      '/costs?by=model',
      '/rules',
      '/archive',
    ];
    const one = encodeURIComponent(first);
    const job = encodeURIComponent(toHostileId(0));
    for (const path of [...lists, `/tasks/${job}`, '/findings/X0', '/archive?asked=archive_X0', `/batches/${one}`]) {
      await page.goto(base + path);
      await untilFilled(page);
      const shown = page.locator('main').getByText(first).first();
      await shown.waitFor({ timeout: 5_000 }).catch(() => made.push(`${path}: the text is not shown`));
      await check(path);
    }
    await page.goto(`${base}/tasks?state=failed`);
    await untilFilled(page);
    const shown = (await page.locator('main').textContent()) ?? '';
    const plain = HOSTILE.filter((text) => text.length < 100 && !text.includes('\u202E'));
    expect(plain.filter((text) => !shown.includes(text.trim()))).toEqual([]);

    // In every field of every answer, alone and all together.
    for (const next of [() => ALL_HOSTILE, eachHostile()]) {
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      await page.route(/\/api\/(?!login)/, (route) => answerWith(route, { next, instead }));
      for (const [name, path] of Object.entries(paths)) {
        await page.goto(base + path);
        await untilFilled(page);
        await check(name);
      }
    }
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.goto(`${base}/queues/queue/tasks/${job}`);
    await page.locator('#root main').getByText(first).first().waitFor();
    made.push(...(await findMade(page)));
    expect(made).toEqual([]);
    expect(ran).toEqual([]);
    expect(problems).toEqual([]);
  });
});

/**
 * Passes a hostile answer on, a stream's events as if it had ended after them.
 * @param options.instead where an answer is that is asked for by a hostile id
 */
async function answerWith(
  route: Route,
  { next, instead }: { next: () => string; instead: Record<string, string> },
): Promise<void> {
  const { href, pathname, search } = new URL(route.request().url());
  const read = async (path: string) => {
    const response = await route.fetch({ url: new URL(path, href).href });
    return { status: response.status(), json: poison(await response.json(), next) };
  };
  if (pathname !== '/api/events') {
    const other = Object.keys(instead).find((beginning) => pathname.startsWith(beginning));
    const first = await read(pathname + search);
    return route.fulfill(first.status === 404 && other !== undefined ? await read(instead[other] ?? '') : first);
  }
  const events = search.includes('overview') ? { overview: '/api/status', head: '/api/head' } : { head: '/api/head' };
  let body = '';
  for (const [event, path] of Object.entries(events)) {
    body += `event: ${event}\ndata: ${JSON.stringify((await read(path)).json)}\n\n`;
  }
  return route.fulfill({ status: 200, contentType: 'text/event-stream', body });
}
