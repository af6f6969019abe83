import { describe, expect, it } from 'vitest';
import { writeMission } from '../../../src/coordinator/mission/record.ts';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const executable = findChromium();
const fixture = useRedis();

/** Runs in the page. */
const READ_STATE = `({
  isFocused: document.activeElement === window.focusedBefore,
  selected: getSelection().toString(),
  scrolledLeft: document.querySelector('.scroll:has(a.mono[href*="mission-"])').scrollLeft,
  scrolledTop: scrollY > 0,
})`;

describe.skipIf(executable === null)('a refresh of the status page', () => {
  it('keeps focus, selection and scrolled parts while rows come and change', async () => {
    const { redis, keys, db } = fixture;
    const counts = { total: 4, added: 4, done: 0, failed: 0, cancelled: 0, skipped: 0 };
    const write = async (number: number, goal: string, done: number) => {
      const id = `mission-whose-id-makes-the-table-too-wide-${number}`;
      const mission = { goal, state: 'running', step: 'wait', counts: { ...counts, done } } as const;
      await redis.zadd(keys.missions, number, id);
      await writeMission(db, id, mission, new Date());
    };
    await write(1, 'Describe the code', 1);
    await write(2, 'Count the files', 1);
    await redis.hset(keys.paced, 'hash:claude-haiku-5-5', Date.now());
    const bucket = (limit: number, used: number) => ({ limit, used, level: 0, cap: limit });
    const pace = { at: Date.now(), hold: 0, processes: {}, requests: bucket(50, 0), input: bucket(50_000, 25_000) };
    await redis.set(keys.pace('hash:claude-haiku-5-5'), JSON.stringify({ ...pace, output: bucket(10_000, 0) }));
    const { base } = await startDashboard(fixture);
    const browser = await openBrowser(executable ?? '');
    fixture.cleanup(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 660, height: 400 } });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(base);

    await page.getByText(/^\d+\.\d % of 50,000$/).waitFor(); // what is used of the provider's limit
    await page.getByText('Describe the code').last().selectText();
    await page.getByRole('link', { name: 'too-wide-1' }).focus();
    await page.evaluate(`window.focusedBefore = document.activeElement`);
    await page.evaluate(`document.querySelector('.scroll:has(a.mono[href*="mission-"])').scrollLeft = 20`);
    const before = await page.evaluate(READ_STATE);
    expect(before).toEqual({ isFocused: true, selected: 'Describe the code', scrolledLeft: 20, scrolledTop: true });

    await write(1, 'Describe the code', 2);
    await page.getByText('2 / 4').waitFor();
    await write(3, 'Find what is missing', 3); // becomes the first row
    await page.getByText('3 / 4').waitFor();
    expect(await page.evaluate(READ_STATE)).toEqual(before);
    expect(problems).toEqual([]);
  });
});
