import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { writeMission } from '../../../src/coordinator/mission/record.ts';
import { sampleTallies } from '../../../src/swarm/tallies/sample-tallies.ts';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { failNext } from '../../support/fleet/fail-next.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const executable = findChromium();
const fixture = useRedis();
const HOSTILE = `"'><img src=x onerror="document.title=1"><script>document.title=1</script>`;

/** A fleet with something of all that needs a person, and texts that try to become markup. */
async function fillFleet(tasks: Awaited<ReturnType<typeof startDashboard>>['queues']['tasks']): Promise<void> {
  const { redis, keys, db } = fixture;
  await tasks.add('task', { description: `Rate ${HOSTILE}` }, { jobId: 'bad-1' });
  await failNext(fixture, tasks, `schema: ${HOSTILE}`, HOSTILE);
  await storeFindings(fixture, {
    finding_1: { task: `\nCount ${HOSTILE}\nthen stop`, summary: `None ${HOSTILE}`, result: 'x', job_id: HOSTILE },
  });
  await redis.zadd(keys.batches, 1, 'nightly');
  await redis.hset(keys.batch('nightly'), { tasks: 4 });
  await redis.hset(keys.spend('batch:nightly'), { settled: 1_000_000, limit: 2_000_010 });
  await redis.zadd(keys.indexByBatch('nightly'), Date.now(), 'finding_1');
  await redis.hset(keys.parked, 'nightly-1', JSON.stringify({ scope: 'batch', name: 'nightly', queue: 'tasks' }));
  await tasks.add('task', { description: 'Wait.' }, { jobId: 'nightly-1', delay: 1e9 });
  const counts = { total: 4, added: 4, done: 1, failed: 0, cancelled: 0, skipped: 0 };
  await redis.zadd(keys.missions, 1, 'mission-asks');
  const asks = { goal: `Find ${HOSTILE}`, state: 'asks', step: 'wait', problem: `Which ${HOSTILE}?`, counts } as const;
  await writeMission(db, 'mission-asks', asks, new Date());
}

/** Counts of an hour: two samples, of which the older one has less, and what was counted since. */
async function giveCounts(): Promise<void> {
  const { redis, keys, db } = fixture;
  const done = 'job|tasks|completed|10000';
  await redis.hset(keys.metrics, { [done]: 40, [`nano|haiku|${HOSTILE}`]: 500_000_000 });
  await sampleTallies(db, db.clock.now() - 20 * 60_000);
  await redis.hset(keys.metrics, {
    [done]: 52,
    'job|tasks|failed|100': 3,
    'nano|sonnet|claude-sonnet-5-5': 100_000_000,
  });
  await sampleTallies(db, db.clock.now() - 10 * 60_000);
  await redis.hset(keys.metrics, { [done]: 57, [`nano|haiku|${HOSTILE}`]: 750_000_000 });
  await sampleTallies(db);
}

/** Run in the page: the gap between two spans of the charts, and what is behind the one that is chosen. */
const GAP = `(([one, next]) => next.getBoundingClientRect().left - one.getBoundingClientRect().right)(
  [...document.querySelectorAll('.charts nav a')])`;
const BACKGROUND = `getComputedStyle(document.querySelector('.charts nav a[aria-current=true]')).backgroundColor`;

async function expectWhole(page: Page): Promise<void> {
  expect(await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')).toBe(false);
  expect(await page.locator('main, header').locator('script, img:not([alt=""])').count()).toBe(0);
}

describe.skipIf(executable === null)('the overview', () => {
  it('shows what needs a person on a phone, and halts, resumes, pays and retries by keyboard', async () => {
    const { redis, keys } = fixture;
    const { base, queues } = await startDashboard(fixture);
    await fillFleet(queues.tasks);
    const browser = await openBrowser(executable ?? '');
    fixture.cleanup(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(base);
    const section = (name: string) => page.locator('section').filter({ has: page.getByRole('heading', { name }) });
    const needs = section('Needs you');
    const dialog = page.getByRole('dialog');
    /** Waits until the focus is where it says so: the button that had it is gone. */
    const hearsFocused = (text: string) => page.locator('[role=status]:focus').getByText(text).waitFor();
    const press = async (name: string) => {
      await page.getByRole('button', { name, exact: true }).focus();
      await page.keyboard.press('Enter');
      await dialog.waitFor();
    };

    await needs.getByText(`Which ${HOSTILE}?`).waitFor();
    await needs.getByText('1 job for the budget of batch nightly').waitFor();
    await section('Running').getByText('1 of 4, 1 parked').waitFor();
    await section('Running').getByText('$0.0010 of $0.00200001').waitFor();
    await section('Newest findings').getByText(`None ${HOSTILE}`).waitFor();
    expect(
      await section('Newest findings')
        .getByRole('link', { name: `Count ${HOSTILE}` })
        .count(),
    ).toBe(1);
    await expectWhole(page);

    await press('Halt…');
    await page.keyboard.type('prices');
    await storeFindings(fixture, { finding_2: { task: 'Count plums', summary: 'Nine', result: 'x' } });
    await page.getByText('Nine').waitFor(); // by itself, behind the dialog
    await page.keyboard.type(' look wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The fleet is halted: person').waitFor();
    await hearsFocused('The fleet is halted.');
    expect(JSON.parse((await redis.get(keys.haltReason)) ?? '')).toMatchObject({ detail: 'prices look wrong' });
    expect(await queues.tasks.isPaused()).toBe(true);
    await page.locator('#fleet-state', { hasText: 'halted' }).waitFor();
    await press('Lift the halt…');
    await page.keyboard.press('Escape');
    expect(await redis.exists(keys.haltReason)).toBe(1);
    await press('Lift the halt…');
    await dialog.getByRole('button', { name: 'Lift it' }).click();
    await hearsFocused('The halt is lifted.');
    expect([await redis.exists(keys.haltReason), await queues.tasks.isPaused()]).toEqual([0, false]);

    await page.setViewportSize({ width: 1440, height: 900 });
    await press('Day’s budget…');
    await page.keyboard.type('99999999999');
    await page.keyboard.press('Enter');
    await dialog.getByText('budget: expected at most 9007199 dollars, got "99999999999"').waitFor();
    expect(await dialog.getByLabel('US dollars').inputValue()).toBe('99999999999');
    await dialog.getByLabel('US dollars').fill(' 7.5 ');
    await page.keyboard.press('Enter');
    await page.getByText('The budget is $7.50.').waitFor();
    await page.locator('#day-budget', { hasText: '/ $7.50' }).waitFor();
    await press('Budget of batch nightly');
    await dialog.getByText('It is $0.00200001 now, of which $0.0010 is spent').waitFor();
    await page.keyboard.type('3');
    await page.keyboard.press('Enter');
    await hearsFocused('1 parked job waits for a worker again.');
    await needs.getByText('parked').waitFor({ state: 'detached' });

    await press('Retry schema');
    await dialog.getByRole('button', { name: 'Retry 1 job' }).click();
    await hearsFocused('Retried 1 job.');
    await waitUntil(async () => (await queues.tasks.getFailedCount()) === 0);
    await expectWhole(page);

    await page.getByRole('searchbox', { name: 'Find a job' }).fill('"Rate"');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/tasks?words=%22Rate%22');
    await page.getByText('1 job,').waitFor();
    expect(problems.filter((text) => !text.includes('409'))).toEqual([]);
  });

  it('charts what happened, as /api/series has it, over a span that is chosen by keyboard', async () => {
    const { base, ask } = await startDashboard(fixture);
    const browser = await openBrowser(executable ?? '');
    fixture.cleanup(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(base);
    await page.getByText('No task ended in the last hour.').waitFor();
    await giveCounts();

    const legends = () => page.locator('.legend li').allTextContents();
    /** Each drawing has the colours of its legend, but for what the edge of a narrow bar takes off. */
    const isPainted = () =>
      page.evaluate<boolean>(`[...document.querySelectorAll('.charts figure')].every((figure) => {
        const canvas = figure.querySelector('canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return [...figure.querySelectorAll('.swatch')].every((swatch) => {
          const wanted = getComputedStyle(swatch).backgroundColor.match(/\\d+/g).map(Number);
          const isNear = (i) => data[i + 3] > 230 && wanted.every((part, c) => Math.abs(part - data[i + c]) < 25);
          return Array.from({ length: data.length / 4 }, (_, i) => 4 * i).some(isNear);
        });
      })`);
    for (const [width, span, title] of [
      [390, '24h', 'the last 24 hours'],
      [1440, '1h', 'the last hour'],
      [1440, '7d', 'the last 7 days'],
    ] as const) {
      let totals = { outcomes: { completed: 0 }, dollars: {} as Record<string, number> };
      await waitUntil(async () => {
        ({ totals } = (await (await ask(`/api/series?span=${span}`)).json()) as { totals: typeof totals });
        return totals.outcomes.completed > 0; // an answer from before the counts is kept for a moment
      });
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: span === '1h' ? 'light' : 'dark' });
      await page.getByRole('link', { name: span, exact: true }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: `Over ${title}` }).waitFor();
      expect(await page.evaluate<string>('document.activeElement.textContent + location.hash')).toBe(`${span}#${span}`);
      expect(await page.evaluate<number>(GAP)).toBeGreaterThan(0);
      expect(await page.evaluate<string>(BACKGROUND)).not.toBe('rgba(0, 0, 0, 0)'); // the one that is chosen
      const dollars = Object.entries(totals.dollars).toSorted(([, a], [, b]) => b - a);
      expect(await legends()).toEqual([
        'done 17',
        'failed 3',
        ...dollars.map(([model, cost]) => `${model} $${cost.toFixed(4)}`),
        'p50 7.5 s',
        'p95 9.8 s',
      ]);
      expect([totals.outcomes, dollars.length]).toEqual([{ completed: 17, partial: 0, failed: 3, cancelled: 0 }, 2]);
      await waitUntil(isPainted);
      await expectWhole(page);
    }
    await page.getByText('p50 and p95 are estimates').waitFor();
    await page.getByText('As a table').click();
    const done = page.locator('.charts td[data-heading=Done]');
    await done.first().waitFor();
    expect((await done.allTextContents()).reduce((sum, text) => sum + Number(text), 0)).toBe(17);
    await page.getByRole('img', { name: 'Ended tasks: done 17, failed 3' }).hover({ position: { x: 300, y: 60 } });
    await page.locator('figcaption', { hasText: /Ended tasks \d/ }).waitFor();
    expect(problems).toEqual([]);
  });

  it('shows those who may only read each page without a button that changes something', async () => {
    const passwords = { DASHBOARD_PASSWORD: TEST_PASSWORD, DASHBOARD_READ_PASSWORD: `${TEST_PASSWORD} for reading` };
    const { base, queues } = await startDashboard(fixture, passwords);
    await fillFleet(queues.tasks);
    const browser = await openBrowser(executable ?? '');
    fixture.cleanup(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    await page.goto(base);
    await page.locator('[name=user]').fill('fleet');
    await page.locator('[name=password]').fill(passwords.DASHBOARD_READ_PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    for (const path of [
      '/',
      '/tasks',
      '/tasks/bad-1',
      '/batches',
      '/costs',
      '/workers',
      '/archive',
      '/rules',
      '/findings',
      '/findings/finding_1',
      '/missions/mission-asks',
    ]) {
      await page.goto(base + path);
      await page.getByText('read only', { exact: true }).waitFor();
      await page.locator('main > *').first().waitFor({ state: 'attached' });
      const shown = await page.locator('main button:visible').allTextContents();
      expect(
        shown.filter((label) => !/^\s*(?:Show|Search|Read again)\s*$/.test(label)),
        path,
      ).toEqual([]);
      await expectWhole(page);
    }
  });
});
