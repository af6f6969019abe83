import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { writeMission } from '../../../src/coordinator/mission/record.ts';
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
  await redis.hset(keys.spend('batch:nightly'), { settled: 1_000_000, limit: 2_000_000 });
  await redis.zadd(keys.indexByBatch('nightly'), Date.now(), 'finding_1');
  await redis.hset(keys.parked, 'p-1', JSON.stringify({ scope: 'batch', name: 'nightly', queue: 'tasks' }));
  await tasks.add('task', { description: 'Wait.' }, { jobId: 'p-1', delay: 1e9 });
  const counts = { total: 4, added: 4, done: 1, failed: 0, cancelled: 0, skipped: 0 };
  await redis.zadd(keys.missions, 1, 'mission-asks');
  const asks = { goal: `Find ${HOSTILE}`, state: 'asks', step: 'wait', problem: `Which ${HOSTILE}?`, counts } as const;
  await writeMission(db, 'mission-asks', asks, new Date());
}

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
    const press = async (name: string) => {
      await page.getByRole('button', { name, exact: true }).focus();
      await page.keyboard.press('Enter');
      await dialog.waitFor();
    };

    await needs.getByText(`Which ${HOSTILE}?`).waitFor();
    await needs.getByText('1 job for the budget of batch nightly').waitFor();
    await section('Running').getByText('1 of 4').waitFor();
    await section('Running').getByText('$0.0010 of $0.0020').waitFor();
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
    expect(JSON.parse((await redis.get(keys.haltReason)) ?? '')).toMatchObject({ detail: 'prices look wrong' });
    expect(await queues.tasks.isPaused()).toBe(true);
    await page.locator('#fleet-state', { hasText: 'halted' }).waitFor();
    await press('Lift the halt…');
    await page.keyboard.press('Escape');
    expect(await redis.exists(keys.haltReason)).toBe(1);
    await press('Lift the halt…');
    await dialog.getByRole('button', { name: 'Lift it' }).click();
    await page.getByText('The halt is lifted.').waitFor();
    expect([await redis.exists(keys.haltReason), await queues.tasks.isPaused()]).toEqual([0, false]);

    await page.setViewportSize({ width: 1440, height: 900 });
    await press('Day’s budget…');
    await page.keyboard.type('7.5');
    await page.keyboard.press('Enter');
    await page.locator('#day-budget', { hasText: '/ $7.50' }).waitFor();
    await press('Budget of batch nightly');
    await dialog.getByText('It is $0.0020 now, of which $0.0010 is spent').waitFor();
    await page.keyboard.type('3');
    await page.keyboard.press('Enter');
    await page.getByText('1 parked job waits for a worker again.').waitFor();
    await needs.getByText('parked').waitFor({ state: 'detached' });

    await press('Retry schema');
    await dialog.getByRole('button', { name: 'Retry 1 job' }).click();
    await page.getByText('Retried 1 job.').waitFor();
    await waitUntil(async () => (await queues.tasks.getFailedCount()) === 0);
    await expectWhole(page);

    await page.getByRole('searchbox', { name: 'Find a job' }).fill('"Rate"');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/tasks?words=%22Rate%22');
    await page.getByText('1 job,').waitFor();
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
