import type { Queue } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { failNext } from '../../support/fleet/fail-next.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const executable = findChromium();
const redis = useRedis();
const HOSTILE = `"'><img src=x onerror="document.title=1"><script>document.title=1</script>`;

/** Runs in the page. */
const READ_STATE = `({
  isFocused: document.activeElement === window.focusedBefore,
  selected: getSelection().toString(),
})`;

/** A dashboard, and a browser that notes what goes wrong. */
async function openPage() {
  const { base, queues } = await startDashboard(redis);
  const browser = await openBrowser(executable ?? '');
  redis.cleanup(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  return { base, tasks: queues.tasks, page, problems };
}

/** Adds 53 tasks, two of which failed. */
async function addTasks(tasks: Queue): Promise<void> {
  const hostile = { description: `Rate ${HOSTILE}`, batch: HOSTILE, mission_id: HOSTILE, model: HOSTILE };
  await tasks.add('task', hostile, { jobId: `bad-1 ${HOSTILE}` });
  await failNext(redis, tasks, `schema: ${HOSTILE}`, HOSTILE);
  await redis.redis.hset(redis.keys.turns('bad-2'), 'totals', '{"nanoUsd":400000}');
  await tasks.add('task', { description: 'Rate the pears.' }, { jobId: 'bad-2' });
  await failNext(redis, tasks, 'tool: it broke');
  for (let i = 1; i <= 51; i += 1) {
    await tasks.add('task', { description: `Count pear ${i}.`, batch: 'fruit' }, { jobId: `pear-${i}` });
  }
}

describe.skipIf(executable === null)('the page of tasks', () => {
  it('filters on a phone by its address, pages, and retries and cancels what is ticked', async () => {
    const { base, tasks, page, problems } = await openPage();
    await addTasks(tasks);
    const isTooWide = () => page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');
    await page.goto(base);
    await page.getByRole('link', { name: 'Tasks', exact: true }).click();
    await page.getByText('Count pear 51.').waitFor();
    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByText(`Rate ${HOSTILE}`).waitFor();
    await page.getByText('3 jobs,').waitFor();
    expect(await isTooWide()).toBe(false);

    await page.getByLabel('failed').check();
    await page.getByRole('button', { name: 'Show' }).click();
    await page.waitForURL('**/tasks?state=failed');
    await page.getByText('2 jobs,').waitFor();
    await page.getByText(`schema: ${HOSTILE}`).waitFor();
    expect(await page.locator('main').locator('img, script').count()).toBe(0);
    expect(await isTooWide()).toBe(false);

    await page.getByLabel('Tick all of this page').check();
    await page.getByRole('button', { name: 'Retry 2' }).click();
    const question = page.getByRole('dialog');
    await question.getByText('Spent on them so far: $0.0004, which stays booked').waitFor();
    await question.getByText(/To run again: \$0\.\d{4} likely/).waitFor();
    await page.keyboard.press('Escape');
    expect(await tasks.getFailedCount()).toBe(2);
    await page.getByRole('button', { name: 'Retry 2' }).click();
    await question.getByRole('button', { name: 'Retry 2 jobs' }).click();
    await page.getByText('Retried 2 jobs.').waitFor();
    await page.getByText('No job fits.').waitFor();
    expect(await tasks.getFailedCount()).toBe(0);

    await page.setViewportSize({ width: 1440, height: 900 });
    await page.goto(`${base}/tasks?words="pear+5"`);
    await page.getByText('3 jobs,').waitFor();
    await page.getByText('Count pear 50.').selectText();
    await page.getByLabel('Tick pear-50').check();
    await page.getByLabel('Tick pear-5', { exact: true }).focus();
    await page.evaluate('window.focusedBefore = document.activeElement');
    const before = await page.evaluate(READ_STATE);
    await tasks.add('task', { description: 'Count pear 52.' }, { jobId: 'newer' });
    await page.getByText('Count pear 52.').waitFor(); // by itself
    expect(await page.evaluate(READ_STATE)).toEqual(before);
    expect(before).toMatchObject({ isFocused: true, selected: 'Count pear 50.' });
    expect(await page.getByLabel('Tick pear-50').isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Cancel 1' }).click();
    await question.getByText('Nothing is booked for it so far').waitFor();
    await question.getByRole('button', { name: 'Cancel 1 job' }).click();
    await page.getByText('Cancelled 1 job.').waitFor();
    expect(await page.getByLabel('Tick pear-50').isChecked()).toBe(false);
    expect(await redis.redis.zscore(redis.keys.cancelled, 'pear-50')).not.toBeNull();

    await page.getByText('More filters').click();
    await page.getByLabel('Since').fill('soon');
    let asked = 0;
    page.on('request', (request) => (asked += /\/api\/jobs\?.*since=soon/.test(request.url()) ? 1 : 0));
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('since: expected a date, an ISO instant, or 90m, 12h, 7d, got "soon"').waitFor();
    await page.locator('#fleet-state').waitFor(); // a beat
    const halt = { reason: 'person', at: new Date().toISOString(), by: 'ada', step: '', detail: '' };
    await redis.redis.set(redis.keys.haltReason, JSON.stringify(halt));
    await page.locator('#fleet-state', { hasText: 'halted' }).waitFor(); // another one, with other marks
    expect(asked).toBe(1);
    expect(problems.filter((text) => !text.includes('400'))).toEqual([]);
  });

  it('opens one on a phone, retries it, and follows it to its result', async () => {
    const model = createScriptedModel(({ messages }, call) => {
      if (messages.length === 1) return { tools: [{ name: 'read', input: { file_path: HOSTILE } }] };
      return call < 5 ? HOSTILE : JSON.stringify({ count: HOSTILE });
    });
    const schema = { type: 'object', required: ['count'], properties: { count: { type: 'string' } } };
    const fleet = await useFleet(redis, { site: {}, haiku: model });
    const named = { effort: 'high', max_turns: 7 } as const;
    const task = { description: `Count ${HOSTILE}`, workspace: 'site', schema, ...named };
    const { id, findingId } = await fleet.tasks.add(task, { taskId: 'count-pears' });
    await fleet.until(id, 'failed');
    const { base, page, problems } = await openPage();
    await page.goto(`${base}/tasks?words=count-pears`);
    await page.getByRole('link', { name: id }).click();
    await page.getByRole('heading', { name: `Count ${HOSTILE}` }).waitFor();
    const next = page.locator('.outcome').filter({ has: page.getByText('fleet retry --reason schema') });
    await next.waitFor();
    const timeline = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Timeline' }) });
    await timeline.getByText('read file_path=').first().waitFor();
    await timeline.getByText(/^schema: /).waitFor();

    const question = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Edit and retry…' }).click();
    await question.getByText(/To run again: \$0\.\d{4} likely/).waitFor();
    await question.getByLabel('Add to the description').fill(HOSTILE);
    await question.getByLabel('Most turns').fill('900');
    await question.getByText('expected a whole number, 1..200', { exact: true }).waitFor(); // by itself, before anything is sent
    await question.getByText('Mend the field that is marked, then it can be retried.').waitFor();
    await question.getByLabel('Most turns').fill('7'); // as it is
    await question.getByLabel('Own budget, dollars').fill('much');
    await question.getByText('expected dollars above 0, such as 0.50', { exact: true }).waitFor();
    await question.getByLabel('Own budget, dollars').fill('');
    const sent = page.waitForRequest((request) => (request.postData() ?? '').includes('"effort":null'));
    await question.getByLabel('Most turns').fill('');
    await question.getByLabel('Effort').selectOption('the default');
    expect((await sent).postDataJSON()).toMatchObject({ edit: { maxTurns: null, effort: null }, dryRun: true });
    await question.getByText(/To run again: \$0\.\d{4} likely/).waitFor();
    await question.getByLabel('Most turns').fill('900');
    await question.getByText('expected a whole number, 1..200', { exact: true }).waitFor();
    expect(await question.getByLabel('Most turns').getAttribute('aria-describedby')).toBe('problem-maxTurns');
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')).toBe(false);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Edit and retry…' }).click();
    expect(await question.getByLabel('Add to the description').inputValue()).toBe(HOSTILE);
    await question.getByLabel('As JSON').check();
    await question.getByText('Retry as it is').waitFor();
    await question.getByLabel('The whole task').fill('{');
    await question.getByText('data: expected JSON').waitFor();
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    expect(await fleet.queue.getFailedCount()).toBe(1);

    await page.getByRole('button', { name: 'Retry', exact: true }).focus();
    await page.keyboard.press('Enter');
    await question.getByText(/To run again: \$0\.\d{4} likely/).waitFor();
    await question.getByRole('button', { name: 'Retry 1 job' }).click();
    await page.getByText('Retried 1 job.').waitFor();
    await page.getByRole('heading', { name: 'Result' }).waitFor(); // by itself
    await timeline.getByRole('link', { name: findingId }).waitFor();
    await page.locator('[role=status]:focus').getByText('Retried 1 job.').waitFor(); // its button is gone
    expect(await page.locator('main').locator('img, script').count()).toBe(0);
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')).toBe(false);
    expect(problems).toEqual([]);
  });
});
