import { describe, expect, it } from 'vitest';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const executable = findChromium();
const redis = useRedis();
const HOSTILE = '<img src=x onerror="document.title=1">';

describe.skipIf(executable === null)('the page of rules', () => {
  it('shows what rules did on a phone, and pauses, releases and removes', async () => {
    const fleet = await useFleet(redis);
    const origin = { chain: [{ rule: 'first', finding: 'f0' }] };
    await storeFindings(redis, { f1: { topics: ['tea'] }, f2: { topics: ['tea'], origin } });
    await fleet.when('watch', { match: { topic: 'tea' }, task: `Check {finding.id} ${HOSTILE}` });
    await fleet.when('other', { match: { grep: HOSTILE }, task: 'Look' });
    await fleet.rules.replay('watch');
    const { base } = await startDashboard(redis);
    const browser = await openBrowser(executable ?? '');
    redis.cleanup(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));

    await page.goto(`${base}/`);
    await page.getByRole('link', { name: 'Rules' }).click();
    await page.getByText(`Check {finding.id} ${HOSTILE}`).waitFor();
    await page.getByText(`text "${HOSTILE.replaceAll('"', '\\"')}"`).waitFor();
    await page.getByText('1 started, 1 today').waitFor();
    await page.getByText('depth: it would be rule 2 of its chain').waitFor();
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')).toBe(false);

    const focused = page.locator('[role=status]:focus');
    await page.getByRole('button', { name: 'Pause rule watch' }).focus();
    await page.keyboard.press('Enter');
    await focused.getByText('Paused: it starts nothing and misses nothing.').waitFor();
    await page.getByRole('button', { name: 'Resume rule watch' }).click();
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await focused.getByText('It goes on from its place.').waitFor();
    for (const action of ['Drop', 'Release']) {
      await page.getByRole('button', { name: `${action} rule watch` }).click();
      await page.getByRole('heading', { name: `${action} 1 chain of rule watch` }).waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
    }
    expect(await fleet.rules.show('watch')).toMatchObject({ fired: 1, parked: 1 });
    await page.getByRole('button', { name: 'Release rule watch' }).click();
    await page.getByRole('button', { name: 'Release', exact: true }).click();
    await page.getByText('Released: 1 task waits for a worker.').waitFor();
    expect(await fleet.rules.show('watch')).toMatchObject({ state: 'active', fired: 2, parked: 0 });

    await page.getByRole('button', { name: 'Remove rule watch' }).click();
    await page.getByRole('heading', { name: 'Remove rule watch' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await fleet.rules.list()).toHaveLength(2);
    await page.getByRole('button', { name: 'Remove rule watch' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await focused.getByText('Rule watch is gone.').waitFor();
    expect((await fleet.rules.list()).map(({ name }) => name)).toEqual(['other']);
    expect(problems).toEqual([]);
  });
});
