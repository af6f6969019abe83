import { describe, expect, it } from 'vitest';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const executable = findChromium();
const fixture = useRedis();
const DESCRIPTION = 'Say what the file notes.txt is about';

describe.skipIf(executable === null)('a person with a browser', () => {
  it('logs in, sees a failed job, edits it, retries it, and sees it completed', async () => {
    await useFleet(fixture, { site: { 'notes.txt': 'The harbour opens at six.\n' }, haiku: 'http' });
    const { base, queues } = await startDashboard(fixture, { DASHBOARD_PASSWORD: TEST_PASSWORD });
    // Added as by an older producer or another BullMQ client: the fleet's own producer refuses an unknown workspace.
    await queues.tasks.add('task', { description: DESCRIPTION, workspace: 'nowhere' }, { jobId: 'task-broken' });
    await waitUntil(async () => (await queues.tasks.getJobState('task-broken')) === 'failed');

    const browser = await openBrowser(executable ?? '');
    fixture.cleanup(() => browser.close());
    const page = await browser.newPage();
    const outside: string[] = [];
    const problems: string[] = [];
    page.on('request', (sent) => !sent.url().startsWith(base) && outside.push(sent.url()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.text().includes('Content Security') && problems.push(message.text()));

    await page.goto(base);
    await page.getByLabel('User').fill('fleet');
    await page.getByLabel('Password').fill('not this one');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
    await page.getByLabel('User').fill('fleet');
    await page.getByLabel('Password').fill(TEST_PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();

    await page.getByText('fleet retry --reason workspace').waitFor();
    await page.getByRole('link', { name: 'tasks' }).last().click();
    await page.getByText(DESCRIPTION).waitFor();
    await page.goto(`${base}/queues/queue/tasks/task-broken?status=failed`);
    await page
      .getByText(/nowhere/)
      .first()
      .waitFor();

    const button = (icon: string) => page.locator('main button').filter({ has: page.locator(`svg.lucide-${icon}`) });
    const replaceData = async (data: object) => {
      await button('pencil').click();
      await page.locator('[role=dialog] .cm-content').click();
      await page.keyboard.press('ControlOrMeta+A');
      await page.keyboard.insertText(JSON.stringify(data));
      await page.getByRole('button', { name: 'Update' }).click();
    };
    await replaceData({ description: DESCRIPTION, workspace: 'elsewhere' });
    await page
      .getByText(/elsewhere.*is not known/)
      .first()
      .waitFor(); // the rule it broke
    expect((await queues.tasks.getJob('task-broken'))?.data).toMatchObject({ workspace: 'nowhere' });
    await page.reload();
    await replaceData({ description: DESCRIPTION, workspace: 'site' });
    await waitUntil(async () => (await queues.tasks.getJob('task-broken'))?.data.workspace === 'site');
    await button('refresh-cw').click();
    await page.getByRole('button', { name: 'Confirm' }).click();

    await waitUntil(async () => (await queues.tasks.getJobState('task-broken')) === 'completed');
    await page.goto(base);
    await page.locator('a[href="/queues/queue/tasks?status=completed"]', { hasText: '1' }).waitFor();
    await page.getByText('None yet.').waitFor({ state: 'detached' });
    expect(await page.locator('a[href^="/findings/finding_"]').count()).toBe(1);
    expect(outside).toEqual([]);
    expect(problems).toEqual([]);
  });
});
