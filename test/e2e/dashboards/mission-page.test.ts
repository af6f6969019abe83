import { describe, expect, it } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';
import { connectQueues } from '../../../src/jobs/connect-queue.ts';

const executable = findChromium();
const fixture = useRedis();
const HOSTILE = '<img src=x onerror="document.title=1">';
const PLAN = {
  approach: `Read ${HOSTILE}, then tell.`,
  tasks: [
    {
      id: 'look',
      description: `Look at {item} ${HOSTILE}`,
      kind: 'docs',
      model: 'haiku',
      depends_on: [],
      for_each: ['a', 'b'],
    },
    { id: 'tell', description: 'Tell what they say', kind: 'docs', model: 'haiku', depends_on: ['look'] },
    { id: 'say', description: 'Say it', kind: 'other', model: 'haiku', depends_on: [] },
  ],
};
const TEN_YEARS_MS = 10 * 365 * 24 * 3600_000;

/** What a coordinator left: a mission that waits for a person. */
async function leave(id: string, fields: Record<string, string>): Promise<void> {
  const { redis, keys, db } = fixture;
  const given = { goal: `Find ${HOSTILE} out`, approve: true, dry_run: true };
  const counts = JSON.stringify({ total: 4, added: 0, done: 0, failed: 0, skipped: 0 });
  const record = { goal: given.goal, session: 's', input: JSON.stringify(given), counts, step: 'delegate' };
  await redis.hset(keys.mission(id), { ...record, createdAt: new Date().toISOString(), ...fields });
  await redis.zadd(keys.missions, Date.now(), id);
  const queues = connectQueues(db);
  await queues.missions.add('mission', given, { jobId: id, delay: TEN_YEARS_MS });
  await Promise.all(Object.values(queues).map((queue) => queue.close()));
}

async function openPage() {
  const { base } = await startDashboard(fixture, { DASHBOARD_PASSWORD: TEST_PASSWORD });
  const browser = await openBrowser(executable ?? '');
  fixture.cleanup(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(`${base}/`);
  await page.getByLabel('User').fill('fleet');
  await page.getByLabel('Password').fill(TEST_PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  const isWide = () => page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');
  return { base, page, problems, isWide };
}

describe.skipIf(executable === null)('the page of a mission', () => {
  it('shows the plan on a phone, leaves tasks out, runs it, and takes an answer', async () => {
    await leave('m', { state: 'planned', plan: JSON.stringify(PLAN) });
    await leave('q', { state: 'asks', problem: 'the recall failed twice: malformed', plan: '' });
    const { page, problems, isWide, base } = await openPage();
    await page.getByRole('link', { name: 'm', exact: true }).click();
    await page.getByText('waits for approval').waitFor();
    await page.getByRole('heading', { name: 'Plan: 4 tasks' }).waitFor();
    await page.getByText(`Look at a ${HOSTILE}`).waitFor();
    expect(await isWide()).toBe(false);

    await page.getByLabel('Run task 1').uncheck();
    expect(await page.getByLabel('Run task 3').isChecked()).toBe(false); // it depends on task 1
    await page.getByRole('button', { name: 'Approve & run' }).click();
    await page.getByRole('heading', { name: 'Run 2 of 4 tasks' }).waitFor();
    await page.getByText('without 1, 3').waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('It runs: 2 tasks.').waitFor();
    expect(await readMission(fixture.db, 'm')).toMatchObject({ state: 'running', approval: { dropped: [1, 3] } });
    await page.getByRole('button', { name: 'Park' }).click();
    await page.getByText('Parked: nothing of it is lost.').waitFor();

    await page.goto(`${base}/missions/q`);
    await page.getByText('the recall failed twice').waitFor();
    await page.getByLabel('Your answer').fill(`It is in ${HOSTILE}`);
    await page.getByRole('button', { name: 'Answer' }).click();
    await page.getByText('The mission has the answer as person-1 and goes on.').waitFor();
    await waitUntil(async () => (await readMission(fixture.db, 'q'))?.answers.length === 1);
    await page.getByText(`It is in ${HOSTILE}`).waitFor();
    expect(await isWide()).toBe(false);
    expect(problems).toEqual([]);
  });
});
