import { describe, expect, it } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
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
  it('shows the plan on a phone, changes it, runs it, leads to sources, and takes an answer', async () => {
    await leave('m', { state: 'planned', plan: JSON.stringify(PLAN) });
    await leave('q', { state: 'asks', problem: 'the recall failed twice: malformed', plan: '' });
    await leave('done', { state: 'done', finding: 'finding_m', plan: JSON.stringify(PLAN) });
    const result = { answer: `It is so [f1, f2] ${HOSTILE}`, counts: {}, cost: {} };
    const answer = { kind: 'mission', result, citations: ['f1', 'f2'] };
    await storeFindings(fixture, { f1: { result: 'x' }, f2: { result: 'y' }, finding_m: answer });
    const { page, problems, isWide, base } = await openPage();
    await page.getByRole('link', { name: 'm', exact: true }).click();
    await page.getByText('waits for approval 4 tasks planned').waitFor();
    await page.getByRole('heading', { name: 'Plan: 4 tasks' }).waitFor();
    const plan = page.locator('.plan');
    await plan.getByText(`Look at a ${HOSTILE}`).waitFor();
    const graph = page.getByRole('region', { name: 'The tasks and what each waits for' });
    await graph.getByText('look, 2 tasks').waitFor();
    await graph.getByText('Tell what they say').last().waitFor();
    expect(await isWide()).toBe(false);
    expect(await page.locator('main').locator('img, script').count()).toBe(0);

    await page.getByLabel('Run task 1').uncheck();
    expect(await page.getByLabel('Run task 3').isChecked()).toBe(false); // it depends on task 1
    expect(await graph.getByText('3 left out', { exact: true }).count()).toBe(1);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Edit task 4' }).click();
    await dialog.getByLabel('What it is to do').fill('');
    await dialog.getByLabel('Model', { exact: true }).selectOption('sonnet');
    await dialog.getByRole('button', { name: 'Keep it' }).click();
    await dialog.getByText('("say"), description').waitFor(); // the form stays, with the rule
    await dialog.getByLabel('What it is to do').fill(`Say it loud ${HOSTILE}`);
    await dialog.getByLabel('Model', { exact: true }).selectOption('haiku');
    expect(await isWide()).toBe(false);
    await dialog.getByRole('button', { name: 'Keep it' }).click();
    await dialog.waitFor({ state: 'detached' });
    await plan.getByText(`Say it loud ${HOSTILE}`).waitFor();
    await page.getByRole('button', { name: 'Approve & run' }).click();
    await page.getByRole('heading', { name: 'Run 2 of 4 tasks' }).waitFor();
    await page.getByText('without 1, 3, with your changes of say').waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('It runs: 2 tasks.').waitFor();
    expect(await readMission(fixture.db, 'm')).toMatchObject({
      state: 'running',
      approval: { edited: true },
      nodes: [{ description: `Look at b ${HOSTILE}` }, { description: `Say it loud ${HOSTILE}` }],
    });
    await graph.getByRole('link', { name: /^Task 1 waits/ }).waitFor();
    await page.getByRole('button', { name: 'Park' }).click();
    await page.getByText('Parked: nothing of it is lost.').waitFor();

    await page.goto(`${base}/missions/done`);
    await page.getByText('It is so').waitFor();
    await page.getByRole('heading', { name: 'What happened' }).waitFor();
    expect(await page.getByRole('heading', { name: 'Forecast' }).count()).toBe(0);
    expect(await page.getByRole('link', { name: '[f1' }).getAttribute('href')).toBe('#source-f1');
    await page.getByRole('link', { name: ', f2]' }).click();
    await page.locator('#source-f2:target').getByRole('button', { name: 'Retract f2' }).waitFor();
    expect(await isWide()).toBe(false);

    await page.goto(`${base}/missions/q`);
    await page.getByText('the recall failed twice').waitFor();
    await page.getByLabel('Your answer').fill(`It is in ${HOSTILE}`);
    await page.getByRole('button', { name: 'Answer' }).click();
    await page.getByText('The mission has the answer as person-1 and goes on.').waitFor();
    await waitUntil(async () => (await readMission(fixture.db, 'q'))?.answers.length === 1);
    await page.getByText(`It is in ${HOSTILE}`).waitFor();
    expect(await isWide()).toBe(false);
    expect(problems.filter((text) => !text.includes('409'))).toEqual([]); // the plan that broke a rule
  });
});
