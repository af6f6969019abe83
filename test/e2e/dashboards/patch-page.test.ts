import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { makePatch, makePersonRepository } from '../../support/patches/person-repository.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const executable = findChromium();
const fixture = useRedis();
const HOSTILE = '<img src=x onerror="document.title=1">';

/** A patch whose names and contents are hostile, in a dashboard with a login, and a browser that counts what goes wrong. */
async function openPage() {
  const person = makePersonRepository({ 'a.txt': 'one\ntwo\nthree\n', 'gone.txt': 'x\n' });
  const record = await makePatch(fixture.db, person, 'task-1', {
    message: `Mend ${HOSTILE}\n\nFleet-Task: task-1\n`,
    leftOut: [{ path: `.env${HOSTILE}`, why: 'it has the name of a secret' }],
    batch: 'nightly',
    work: (tree) => {
      tree.write({
        'a.txt': `one\n${HOSTILE} ${'wide '.repeat(80)}\nthree\u202E\n`,
        'img src=x onerror=1 <b>.js': `</script><script>document.title = 1</script>\n`,
        'bin.dat': Buffer.from([0, 1, 2]),
        'long.txt': 'line\n'.repeat(1_200),
      });
      tree.git('rm', '-q', 'gone.txt');
    },
  });
  const { findingId, base, head, added, removed } = record;
  const patch = { base, head, files: 5, added, removed, state: 'pending' } as const;
  await storeFindings(fixture, { [findingId]: { result: 'Mended.', summary: 'Mended.', patch } });
  const dashboard = await startDashboard(fixture, {
    FLEET_WORKSPACES: `site=${person.root}`,
    FLEET_DATA: join(dirname(person.root), 'data'),
    DASHBOARD_PASSWORD: TEST_PASSWORD,
  });
  const browser = await openBrowser(executable ?? '');
  fixture.cleanup(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(`${dashboard.base}/`);
  await page.getByLabel('User').fill('fleet');
  await page.getByLabel('Password').fill(TEST_PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  return { person, record, page, problems };
}

describe.skipIf(executable === null)('the page of a patch', () => {
  it('shows it as text on a phone, and applies and undoes it with clicks and keys', async () => {
    const { person, record, page, problems } = await openPage();
    const card = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Patches: 1 pending' }) });
    await card.getByText('5 files').waitFor();
    await card.getByRole('link', { name: `Mend ${HOSTILE}` }).click();

    await page.getByRole('heading', { name: `Mend ${HOSTILE}` }).waitFor();
    const changes = page.locator('.diff');
    await changes.getByText(`${HOSTILE} wide`).waitFor();
    await changes.getByText('three<U+202E>').waitFor();
    await changes.getByText('</script><script>document.title = 1</script>').waitFor();
    await changes.getByText('binary', { exact: true }).waitFor();
    await changes.getByText('The first 1,000 lines.').waitFor();
    await page.getByText('.env<img').waitFor();
    expect(await page.locator('main').locator('img, b:not(.good, .bad), script').count()).toBe(0);
    const width = `document.documentElement.scrollWidth - document.documentElement.clientWidth`;
    expect(await page.evaluate(width)).toBe(0);
    const box = `(() => { const box = document.querySelector('.code'); return box.scrollWidth > box.clientWidth; })()`;
    expect(await page.evaluate(box)).toBe(true);

    await page.getByRole('button', { name: 'Apply' }).focus();
    await page.keyboard.press('Enter');
    const question = page.getByRole('dialog');
    await question.getByText('1 commit on main in workspace site').waitFor();
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    expect(person.git('rev-list', '--count', 'HEAD')).toBe('1');

    await page.getByRole('button', { name: 'Apply' }).click();
    await page.route('**/apply', async (route) => {
      await page.getByText(/Applying… \d+ s/).waitFor(); // a slow one shows that it is under way
      await route.continue();
    });
    await question.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Applied as').waitFor();
    expect(person.git('rev-list', '--count', 'HEAD')).toBe('2');
    await page.getByText(person.git('rev-parse', 'HEAD').slice(0, 10)).first().waitFor();

    person.write({ 'a.txt': 'mine\n' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await question.getByRole('button', { name: 'Undo' }).click();
    await page.getByText(/Left out, nothing was changed \(dirty\)/).waitFor();
    await page.getByText('Commit or stash it, then try again.').waitFor();
    expect(person.read('a.txt')).toBe('mine\n');

    await page.getByRole('link', { name: record.findingId }).click();
    await page.getByRole('link', { name: 'patch applied' }).waitFor();
    expect(problems).toEqual([]);
  });
});
