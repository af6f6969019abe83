import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retractFinding } from '../../../src/findings/retract.ts';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { addSwarm } from '../../support/redis/second-swarm.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const executable = findChromium();
const fixture = useRedis();
let browser: Browser;

/** Opens a page of the dashboard of a simulated swarm. */
async function openPage(path: string, env: Record<string, string> = {}) {
  await fixture.redis.hset(fixture.keys.swarmMark, 'kind', 'simulated');
  const { base } = await startDashboard(fixture, env);
  const page = await browser.newPage();
  fixture.cleanup(() => page.context().close());
  await page.goto(base + path);
  return page;
}

describe.skipIf(executable === null)('the pages of findings', () => {
  beforeAll(async () => {
    browser = await openBrowser(executable ?? '');
  });
  afterAll(() => browser.close());

  it.each(['/findings', '/findings/f1'])('%s carries the mark of simulated models', async (path) => {
    await storeFindings(fixture, { f1: { result: 'A pear.' } });
    const page = await openPage(path);
    await page.getByText('simulated models').waitFor();
    await page.getByText(`swarm ${fixture.swarm}`).waitFor();
  });

  it('lead from a citation to the finding of the other swarm', async () => {
    const ops = await addSwarm(fixture);
    await ops.share(fixture.swarm);
    await storeFindings(ops, { finding_1: { result: 'A pear of ops.' } });
    await storeFindings(fixture, { f1: { result: 'A pear.', citations: [`${ops.swarm}/finding_1`] } });
    const page = await openPage('/findings/f1', { FLEET_READ_SWARMS: ops.swarm });
    await page.getByRole('link', { name: `${ops.swarm}/finding_1` }).click();
    await page.getByText('A pear of ops.').waitFor();
    await page.getByText(`${ops.swarm} (SIMULATED)`).waitFor();
  });

  it('show why, by whom and when a finding was retracted', async () => {
    await storeFindings(fixture, { f1: { result: 'A pear.' } });
    await retractFinding(fixture.db, { id: 'f1', why: 'read the wrong folder', by: 'ann@box' });
    const page = await openPage('/findings/f1');
    await page.getByText(/read the wrong folder, ann@box/).waitFor();
  });

  it('mark a finding whose worker ran out of turns', async () => {
    await storeFindings(fixture, { f1: { result: 'At least one pear.', status: 'partial' } });
    const list = await openPage('/findings');
    await list.getByText('partial', { exact: true }).waitFor();
    await list.getByRole('link', { name: 'f1' }).click();
    await list.getByText('its worker ran out of turns').waitFor();
  });

  it('mark a finding whose tool calls failed, and tell their last errors', async () => {
    const last = [{ tool: 'git', error: 'nothing to commit, working tree clean' }];
    await storeFindings(fixture, {
      f1: { result: 'Committed.', status: 'completed', tool_errors: { failed: 2, last } },
    });
    const list = await openPage('/findings');
    await list.getByText('2 tool errors', { exact: true }).waitFor();
    await list.getByRole('link', { name: 'f1' }).click();
    await list.getByRole('cell', { name: 'git' }).waitFor();
    await list.getByText('nothing to commit, working tree clean').waitFor();
  });

  it('indent a result that is JSON, and fold what is long of it', async () => {
    const HOSTILE = '<img src=x onerror="document.title=1">';
    const rows = Array.from({ length: 30 }, (_, i) => ({ name: `${HOSTILE} ${i}` }));
    await storeFindings(fixture, {
      f1: { result: JSON.stringify({ short: [1, 2], rows, [HOSTILE]: rows.slice(0, 9) }) },
    });
    const page = await openPage('/findings/f1');
    await page.setViewportSize({ width: 390, height: 844 });
    const result = page.locator('.json');
    await result.locator('pre', { hasText: '"short": [' }).waitFor();
    const last = result.getByText(`"name": "${HOSTILE.replaceAll('"', '\\"')} 29"`);
    expect(await last.isVisible()).toBe(false);
    await result.getByText('"rows": [').click();
    await last.waitFor();
    await result.getByText('92 lines', { exact: true }).waitFor();
    expect(await result.locator('img').count()).toBe(0);
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')).toBe(false);
  });

  it.each([
    ['a task', { kind: 'docs', job_id: 'task-1' }, 1],
    ['a task that was in no queue', { kind: 'docs', job_id: 'single-0123456789abcdef' }, 0],
    ['a compaction', { kind: 'summary', job_id: 'compaction-1' }, 0],
  ])('link the job of %s only if a queue held it', async (_, finding, links) => {
    await storeFindings(fixture, { f1: { result: 'A pear.', ...finding } });
    const page = await openPage('/findings/f1');
    await page.getByText(finding.job_id).waitFor();
    expect(await page.getByRole('link', { name: finding.job_id }).count()).toBe(links);
  });

  it('keep the problem of the finding when other requests succeed', async () => {
    const page = await openPage('/findings/none');
    await page.getByText('simulated models').waitFor();
    await page.getByText('there is no finding of this id').waitFor();
  });
});
