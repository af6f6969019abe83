import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedArchive, idsShown } from '../../support/models/scripted-archive.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { loseCall } from '../../support/redis/uncertain-call.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const executable = findChromium();
const redis = useRedis();
const HOSTILE = `"'><img src=x onerror="document.title=1"><script>document.title=1</script>`;
const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

let browser: Browser;

/** A dashboard, and a page that notes what goes wrong. */
async function openPage() {
  const { base } = await startDashboard(redis);
  const page = await browser.newPage({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  redis.cleanup(() => page.context().close());
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  return { base, page, problems };
}

/** At both sizes: nothing is wider than the screen, and no text became an element. */
async function expectFit(page: Page): Promise<void> {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')).toBe(false);
  }
  expect(await page.locator('main').locator('img, script').count()).toBe(0);
  expect(await page.title()).not.toBe('1');
}

describe.skipIf(executable === null)('the pages of costs, workers, batches and archive', () => {
  beforeAll(async () => {
    browser = await openBrowser(executable ?? '');
  });
  afterAll(() => browser.close());

  it('opens the days of a batch, and settles an uncertain call after a question', async () => {
    const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'two') });
    await fleet.queue.add('task', { description: 'Count.', batch: HOSTILE }, { jobId: 'count-1' });
    await fleet.until('count-1', 'completed');
    await loseCall(redis, { worstNanoUsd: 7_000_000, jobId: `lost ${HOSTILE}`, model: HOSTILE, batch: HOSTILE });
    const { base, page, problems } = await openPage();
    await page.goto(base);
    await page.getByRole('link', { name: 'Costs', exact: true }).click();
    await page.getByRole('link', { name: 'batch', exact: true }).click();
    await page.getByRole('link', { name: HOSTILE, exact: true }).waitFor();
    expect(await page.locator('main [aria-current]').allTextContents()).toEqual(['batch']);
    await page.getByRole('link', { name: HOSTILE, exact: true }).click();
    await page.waitForURL('**by=day&batch=**');
    await page.getByRole('cell', { name: /^\d{4}-\d{2}-\d{2}$/ }).waitFor();
    await page.getByText('1 call ended before its reply was stored: at most $0.0070').waitFor();
    await expectFit(page);

    await page.getByLabel('Tick all of this page').check();
    const button = page.getByRole('button', { name: 'Settle as unpaid 1' });
    expect(await button.getAttribute('aria-disabled')).toBe('true'); // the field for the reason is empty
    await page.getByLabel('How you know').fill(`The console has none ${HOSTILE}`);
    const { reservation } = await loseCall(redis, { worstNanoUsd: 1_000_000, jobId: 'other' });
    await page.getByText('2 calls ended before their replies were stored: at most $0.0080').waitFor(); // by itself
    expect(await page.getByLabel('How you know').inputValue()).toBe(`The console has none ${HOSTILE}`);
    expect(await page.evaluate<string>('document.activeElement.name')).toBe('why');
    await fetch(`${base}/api/costs/settle`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ calls: [reservation], verdict: 'unpaid', why: 'a test' }),
    });
    await page.getByText('1 call ended before its reply was stored').waitFor();
    await button.focus();
    await page.keyboard.press('Enter');
    const question = page.getByRole('dialog');
    await question.getByText('$0.0070 counts no longer against any budget').waitFor();
    await page.keyboard.press('Escape');
    expect(await redis.redis.hlen(redis.keys.uncertain)).toBe(1);
    await button.click();
    await question.getByRole('button', { name: 'Settle as unpaid: 1 call' }).click();
    await page.getByText('Settled as unpaid: 1 call, $0.0070').waitFor();
    await page.getByText('No call is of uncertain cost.').waitFor();
    await page.getByText(`The console has none ${HOSTILE}`).waitFor();
    await expectFit(page);
    expect(await redis.redis.hlen(redis.keys.uncertain)).toBe(0);

    await page.getByRole('link', { name: `Without batch ${HOSTILE}` }).click();
    await page.waitForURL('**by=day');
    await page.goto(`${base}/costs?by=colour`);
    await page.getByText('by: expected one of session').waitFor();
    expect(problems.filter((text) => !text.includes('400'))).toEqual([]);
  });

  it('shows who holds what, and who needs a person', async () => {
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    const fleet = await useFleet(redis, { haiku: createScriptedModel(async () => (await held, 'two')) });
    const { id } = await fleet.tasks.add({ description: `Count ${HOSTILE}` }, { taskId: 'count-1' });
    const old = { id: HOSTILE, host: HOSTILE, slots: 3, workspaces: [HOSTILE], version: HOSTILE, seenAt: Date.now() };
    await redis.redis.hset(redis.keys.workers, 'old', JSON.stringify(old));
    const { base, page, problems } = await openPage();
    await page.goto(base);
    await page.getByRole('link', { name: 'Workers', exact: true }).click();
    await page.getByText(`runs ${HOSTILE}, this dashboard`).waitFor();
    await page.getByText('1 needs a person.').waitFor();
    await page.getByText(`Count ${HOSTILE}`).waitFor();
    await expectFit(page);
    await page.getByRole('link', { name: id }).click();
    await page.waitForURL('**/tasks/count-1');
    finish();
    await fleet.until(id, 'completed');
    expect(problems).toEqual([]);
  });

  it('shows a batch, and retries, cancels and pays after a question', async () => {
    const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'two') });
    const schema = { type: 'object', required: ['count'], properties: { count: { type: 'integer' } } };
    const { ids } = await fleet.tasks.addMany([{ description: HOSTILE, schema }], { batch: 'fruit', budgetUsd: 1 });
    await fleet.until(ids[0] ?? '', 'failed');
    await redis.redis.zadd(redis.keys.batches, 0, HOSTILE);
    await redis.redis.hset(redis.keys.batch(HOSTILE), {
      session: HOSTILE,
      createdAt: new Date().toISOString(),
      tasks: 2,
    });
    const { base, page, problems } = await openPage();
    await page.goto(base);
    await page.getByRole('link', { name: 'Batches', exact: true }).click();
    await page.getByRole('link', { name: HOSTILE, exact: true }).waitFor();
    await expectFit(page);
    await page.getByRole('link', { name: HOSTILE, exact: true }).click();
    await page.getByRole('heading', { name: HOSTILE }).waitFor();
    await page.getByText('2 tasks are open; the rate is not known yet.').waitFor();
    await expectFit(page);
    await page.goBack();

    await page.getByRole('link', { name: 'fruit', exact: true }).click();
    await fleet.queue.pause();
    await page.getByRole('button', { name: 'Retry 1 failed' }).click();
    const question = page.getByRole('dialog');
    await question.getByText(/To run again: \$0\.\d{4} likely/).waitFor();
    await page.keyboard.press('Escape');
    expect(await fleet.batch('fruit')).toMatchObject({ failed: 1 });
    await page.getByRole('button', { name: 'Retry 1 failed' }).click();
    await question.getByRole('button', { name: 'Retry 1 task' }).click();
    await page.getByText('Retried 1 task.').waitFor();

    await page.getByLabel('New budget').fill('2.5');
    await page.getByRole('button', { name: 'Set the budget' }).click();
    await question.getByText('Its calls may spend $2.4').waitFor();
    await question.getByRole('button', { name: 'Set the budget to $2.50' }).click();
    await page.getByText('The budget is $2.50.').waitFor();
    expect(await fleet.batch('fruit')).toMatchObject({ limitNanoUsd: 2_500_000_000, failed: 0 });

    await page.getByRole('button', { name: 'Cancel 1 open' }).click();
    await question.getByText('A running task ends at once').waitFor();
    await question.getByRole('button', { name: 'Cancel 1 task' }).click();
    await page.getByText('Cancelled 1 task.').waitFor();
    expect(await redis.redis.zscore(redis.keys.cancelled, ids[0] ?? '')).not.toBeNull();
    await page.getByRole('link', { name: 'Its tasks' }).click();
    await page.waitForURL('**/tasks?batch=fruit');
    expect(problems).toEqual([]);
  });

  it('asks the archive, leads to the sources, and retracts one after a question', async () => {
    const text = `It is so ${HOSTILE} [f1] [f2]`;
    const librarian = createScriptedArchive(() => ({ answer: text, citations: ['f1', 'f2'] }));
    const finding = { result: `Pears ${HOSTILE}`, topics: [HOSTILE], session: HOSTILE };
    await storeFindings(redis, { f1: finding, f2: finding, f3: { result: 'Tea' } });
    const fleet = await useFleet(redis, { librarian });
    const { base, page, problems } = await openPage();
    await page.goto(base);
    await page.getByRole('link', { name: 'Archive', exact: true }).click();
    await page.getByText('Nothing was asked yet.').waitFor();
    await page.getByLabel('Question').fill(`Where is ${HOSTILE}?`);
    await page.getByText('Which findings, and who answers').click();
    await page.getByLabel('Topic').fill(HOSTILE);
    await expectFit(page);
    await page.getByLabel('Question').focus();
    await page.keyboard.press('Enter');
    const question = page.getByRole('dialog');
    await question.getByText('uses a call of a shard').waitFor();
    await expectFit(page);
    expect(librarian.calls).toHaveLength(0);
    await question.getByRole('button', { name: 'Ask' }).click();
    await page.waitForURL('**/archive?asked=archive_**');
    await page.getByText(`It is so ${HOSTILE}`).first().waitFor(); // by itself
    expect(idsShown(librarian.calls[0] ?? { prompt: '' }).toSorted()).toEqual(['f1', 'f2']);
    await page.getByRole('link', { name: '[f2]' }).click();
    await expectFit(page);

    await page.getByRole('button', { name: 'Retract f2' }).click();
    await question.getByText('1 answer cited it').waitFor();
    await question.getByLabel('What is wrong with it').fill(`It is wrong ${HOSTILE}`);
    await page.keyboard.press('Escape');
    expect((await fleet.findings.get('f2'))?.status).not.toBe('retracted');
    await page.getByRole('button', { name: 'Retract f2' }).click();
    await question.getByRole('button', { name: 'Retract', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.locator('[role=status]:focus').getByText('Retracted f2: no librarian is shown it any more.').waitFor();
    expect((await fleet.findings.get('f2'))?.status).toBe('retracted');
    await page.getByText('retracted', { exact: true }).waitFor();
    await expectFit(page);
    await page.getByRole('link', { name: 'f1', exact: true }).click();
    await page.waitForURL('**/findings/f1');

    await page.getByRole('link', { name: 'Audit', exact: true }).click();
    await page.getByText(`retracted no → yes, why It is wrong ${HOSTILE}`).waitFor();
    await expectFit(page);
    await page.getByLabel('What').fill('halt');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/audit?what=halt');
    await page.getByText('No change fits.').waitFor();
    await page.getByRole('link', { name: 'Show all, the newest first' }).click();
    await page.getByText('finding f2', { exact: true }).waitFor();
    expect(problems).toEqual([]);
  });
});
