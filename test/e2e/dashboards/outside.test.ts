import { describe, expect, it } from 'vitest';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const executable = findChromium();
const redis = useRedis();

describe.skipIf(executable === null)('the status page', () => {
  it('shows beside the workers what outside workers hold, and the cost of their findings as unmetered', async () => {
    const fleet = await useFleet(redis);
    await fleet.tasks.add({ description: 'Count', for: 'outside' }, { taskId: 'count' });
    await fleet.tasks.add({ description: 'Count', for: 'outside' }, { taskId: 'held' });
    const done = (await fleet.outside.claim({ as: 'agent-1' })) ?? expect.fail('nothing was offered');
    const ref = { taskId: done.task_id, lease: done.lease };
    const { finding_id: id } = await fleet.outside.report({ ...ref, result: '3', tokens: { input: 7, output: 2 } });
    await fleet.outside.claim({ as: 'agent-2' });
    const { base } = await startDashboard(redis);
    const browser = await openBrowser(executable ?? '');
    redis.cleanup(() => browser.close());
    const page = await browser.newPage();
    await page.goto(base);
    const workers = page
      .locator('section')
      .filter({ has: page.getByRole('heading', { name: 'Workers', exact: true }) });
    await workers.getByText('agent-2').waitFor();
    expect((await workers.innerText()).replaceAll(/\s+/g, ' ')).toMatch(
      /agent-2 outside held until \d\d:\d\d:\d\d UTC/,
    );
    await page.goto(`${base}/findings/${id}`);
    await page.getByText('unmetered, 7 prompt tokens, 2 output tokens').waitFor();
  });
});
