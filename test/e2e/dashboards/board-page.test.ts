import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { failNext } from '../../support/fleet/fail-next.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { findBeside, openWatchedPage } from '../../support/pages/watched-page.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const executable = findChromium();
const redis = useRedis();
const STATES = ['failed', 'delayed', 'waiting', 'prioritized', 'completed', 'active'];
const JOB = { description: 'Count', session: 's1' };

/** What each button asks of the server, by its icon. */
const ASKS: Record<string, readonly [method: string, path: string, body?: unknown]> = {
  'refresh-cw': ['PUT', 'tasks/failed-1/retry'],
  files: ['POST', 'tasks/add', { name: 'task', data: { description: 'Count' } }],
  plus: ['POST', 'tasks/add', { name: 'task', data: { description: 'Count' } }],
  pencil: ['PATCH', 'tasks/waits-1/update-data', { jobData: { ...JOB, description: 'Count on' } }],
  'arrow-up-down': ['PATCH', 'tasks/first-1/priority', { priority: 2 }],
  clock: ['PATCH', 'tasks/delayed-1/delay', { runAt: Date.now() + 1e8 }],
  'corner-up-left': ['PUT', 'tasks/delayed-1/promote'],
  pause: ['PUT', 'tasks/pause'],
  play: ['PUT', 'tasks/resume'],
};
/** They change the order of what the page shows. */
const SORTS = /^arrow-(?:up|down)$| Jobs$|A-Z|^Sort by$/;
const BUTTONS = `#root main ul[class*=Actions] button, [role=menuitem]`;

/** The queues with a job in each state, and a browser. */
async function openBoard() {
  const dashboard = await startDashboard(redis);
  const { tasks } = dashboard.queues;
  const key = (part: string) => redis.keys.queueKey('tasks', part);
  await tasks.add('task', JOB, { jobId: 'done-1' });
  await redis.redis.lrem(key('wait'), 0, 'done-1');
  await redis.redis.zadd(key('completed'), Date.now(), 'done-1');
  await redis.redis.hset(key('done-1'), { returnvalue: '{}', finishedOn: Date.now() });
  await tasks.add('task', JOB, { jobId: 'failed-1' });
  await failNext(redis, tasks, 'schema: no');
  await tasks.add('task', JOB, { jobId: 'delayed-1', delay: 1e9 });
  await tasks.add('task', JOB, { jobId: 'first-1', priority: 1 });
  await tasks.add('task', JOB, { jobId: 'waits-1' });
  const browser = await openBrowser(executable ?? '');
  redis.cleanup(() => browser.close());
  return { ...dashboard, ...(await openWatchedPage(browser)) };
}

/** The icons of the buttons that change something. @param isShown whether they are to be seen; false: those that are there and are not */
async function readIcons(page: Page, isShown: boolean): Promise<string[]> {
  const menus = page.locator('#root main button:visible:has(svg.lucide-ellipsis-vertical)');
  const read = () =>
    page.evaluate<string[]>(`[...document.querySelectorAll(${JSON.stringify(BUTTONS)})]
      .filter((button) => button.checkVisibility() === ${isShown})
      .map((button) => [...(button.querySelector('svg')?.classList ?? [])].findLast((name) => name.startsWith('lucide-'))?.slice(7) ?? button.textContent)
      .filter((name) => !${SORTS}.test(name))`);
  const icons = new Set(await read());
  for (let i = 0; i < (await menus.count()); i += 1) {
    await menus.nth(i).click();
    await page.locator('[role=menuitem]').first().waitFor();
    for (const icon of await read()) icons.add(icon);
    await page.keyboard.press('Escape');
    await page.locator('[role=menuitem]').first().waitFor({ state: 'detached' });
  }
  return [...icons];
}

describe.skipIf(executable === null)('the raw queues', () => {
  it('have the header of all pages, and no button that the server refuses', async () => {
    const { base, page, problems, send, queues } = await openBoard();
    const shown = new Set<string>();
    const hidden = new Set<string>();
    for (const path of [...STATES.map((state) => `/queue/tasks?status=${state}`), '/queue/tasks/failed-1', '']) {
      await page.goto(`${base}/queues${path}`);
      await page.locator('#root main button:visible').first().waitFor();
      for (const icon of await readIcons(page, true)) shown.add(icon);
      for (const icon of await readIcons(page, false)) hidden.add(icon);
    }
    expect([...hidden].toSorted()).toEqual(['ban', 'chart-no-axes-gantt', 'gauge', 'trash-2']);
    expect([...shown].filter((icon) => ASKS[icon] === undefined)).toEqual([]);
    expect([...shown].toSorted()).toEqual(
      Object.keys(ASKS)
        .filter((icon) => icon !== 'play')
        .toSorted(),
    );
    for (const [icon, [method, path, body]] of Object.entries(ASKS)) {
      expect((await send(method, `/queues/api/queues/${path}`, body ?? {})).status, icon).toBeLessThan(300);
    }

    await queues.tasks.pause();
    await page.goto(`${base}/queues/queue/tasks`);
    await page.locator('#root main button:visible').first().waitFor();
    expect(await readIcons(page, true)).toContain('play');
    const halt = { reason: 'person', step: '', at: new Date().toISOString(), by: 'me', detail: 'lunch' };
    await redis.redis.set(redis.keys.haltReason, JSON.stringify(halt));
    await page.locator('#fleet-state', { hasText: 'halted' }).waitFor(); // by itself
    expect(await readIcons(page, true)).not.toContain('play');

    for (const size of [
      { width: 390, height: 844 },
      { width: 1440, height: 900 },
    ]) {
      await page.setViewportSize(size);
      expect(await findBeside(page)).toEqual([]);
    }
    await page.getByRole('searchbox', { name: 'Find a job' }).fill('failed-1');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/tasks?words=failed-1');
    expect(problems).toEqual([]);
  });
});
