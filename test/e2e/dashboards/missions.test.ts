import { describe, expect, it } from 'vitest';
import { writeMission } from '../../../src/coordinator/mission/record.ts';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const executable = findChromium();
const fixture = useRedis();

describe.skipIf(executable === null)('the status page', () => {
  it('shows missions as text: what a goal says never becomes markup', async () => {
    const { redis, keys, db } = fixture;
    const goal = '<img src=x onerror="document.title=1"> Describe the code';
    const counts = { total: 4, added: 4, done: 3, failed: 1, cancelled: 0, skipped: 0 };
    await redis.zadd(keys.missions, 1, 'mission-1', 2, 'mission-2', 3, 'mission-3');
    await writeMission(db, 'mission-1', { goal, state: 'running', step: 'wait', counts }, new Date());
    await writeMission(db, 'mission-2', { goal: 'Ask', state: 'asks', problem: 'no <b>shard</b>' }, new Date());
    const planned = { ...counts, added: 0, done: 0, failed: 0 };
    await writeMission(db, 'mission-3', { goal: 'Look', state: 'done', counts: planned }, new Date());
    const { base } = await startDashboard(fixture);
    const browser = await openBrowser(executable ?? '');
    fixture.cleanup(() => browser.close());
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(base);
    const missions = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Missions' }) });
    await missions.getByText(goal).waitFor();
    await missions.getByText('no <b>shard</b>').waitFor();
    const text = (await missions.innerText()).replaceAll(/\s+/g, ' ');
    expect(text).toMatch(/mission-1 waiting 3 \/ 4 1 failed/);
    expect(text).toMatch(/mission-3 dry run, waits for approval 4 planned/);
    expect(await missions.locator('img, b').count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
