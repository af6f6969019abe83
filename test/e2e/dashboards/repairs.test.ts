import { dirname, join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { findChromium, openBrowser } from '../../support/browser.ts';
import { table } from '../../support/docs.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { PARKED, troubleFleet } from '../../support/fleet/troubled-fleet.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { makePersonRepository } from '../../support/patches/person-repository.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const executable = findChromium();
const redis = useRedis();
/** For some thirty walks on a machine that does more than this. */
const MOST_MS = 240_000;
/** Typing, and the button that confirms a question, are not counted. */
const MOST_CLICKS = 3;

interface Hand {
  page: Page;
  /** The question that is open. */
  dialog: Locator;
  /** Clicks a button or a link, and counts it. */
  click(name: string | RegExp | Locator): Promise<void>;
  /** The button that confirms the question. */
  confirm(name: string): Promise<void>;
  fleet: TestFleet;
}

/** A repair, from the overview on. `row`: that of `docs/operate.md` which names it. */
interface Walk {
  row: string;
  repair: string;
  walk(hand: Hand): Promise<void>;
}

const RETRY = 'retry';
const EDITED = 'retry, edited';
const PATCHES = 'see and take over what isolated tasks changed';
const RULES = 'let findings start tasks';
const MISSION = 'answer a mission that asks';
const HALT = 'stop all, start again';
const DRAIN = 'drain';
const RELEASE = 'release parked jobs';

const isPaused = (fleet: TestFleet) => fleet.queue.isPaused();
const said = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();
const stateOf = async (id: string) => (await readMission(redis.db, id))?.state;
const inRow = (page: Page, text: string) => page.locator('.needs tr').filter({ hasText: text });

const WALKS: Walk[] = [
  {
    row: HALT,
    repair: 'halt',
    async walk({ page, dialog, click, confirm, fleet }) {
      await click('Halt…');
      await dialog.getByLabel('Reason').fill('prices look wrong');
      await confirm('Halt');
      await said(page, 'The fleet is halted: person');
      expect(await isPaused(fleet)).toBe(true);
    },
  },
  {
    row: HALT,
    repair: 'lift the halt',
    async walk({ page, click, confirm, fleet }) {
      await click('Lift the halt…');
      await confirm('Lift it');
      await said(page, 'The halt is lifted.');
      expect(await isPaused(fleet)).toBe(false);
    },
  },
  {
    row: 'change the day’s budget',
    repair: 'a higher budget',
    async walk({ page, dialog, click, confirm }) {
      await click('Day’s budget…');
      await dialog.getByLabel('US dollars').fill('20');
      await confirm('Set it');
      await said(page, '/ $20.00');
    },
  },
  ...Object.entries(PARKED).map(([scope, name]): Walk => ({
    row: RELEASE,
    repair: `those of a ${scope}`,
    async walk({ page, dialog, click, confirm }) {
      await click(`Budget of ${scope} ${name}`);
      await dialog.getByLabel('US dollars').fill('3');
      await confirm('Set it');
      await said(page, '1 parked job waits for a worker again.');
      expect(await redis.redis.hexists(redis.keys.parked, `p-${scope}`)).toBe(0);
    },
  })),
  {
    row: RETRY,
    repair: 'all that failed for a reason',
    async walk({ page, click, confirm, fleet }) {
      await click('Retry provider-unavailable');
      await confirm('Retry 1 job');
      await said(page, 'Retried 1 job.');
      expect((await fleet.tasks.get('bad-luck'))?.state).toBe('waiting');
    },
  },
  {
    row: EDITED,
    repair: 'with more turns and another text',
    async walk({ page, dialog, click, confirm, fleet }) {
      await click(inRow(page, 'step-limit').getByRole('link', { name: 'Look' }));
      await click('too-long');
      await click('Edit and retry…');
      await dialog.getByLabel('Add to the description').fill('Only the green ones.');
      await dialog.getByLabel('Most turns').fill('9');
      await confirm('Retry, edited');
      await said(page, 'Retried 1 job.');
      expect(await fleet.queue.getJob('too-long')).toMatchObject({
        data: { description: 'Count all pears.\n\nOnly the green ones.', max_turns: 9 },
      });
    },
  },
  ...(['Pause', 'Resume'] as const).map((action): Walk => ({
    row: DRAIN,
    repair: `${action} queue tasks`,
    async walk({ page, click, confirm, fleet }) {
      const queues = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Queues' }) });
      if (action === 'Pause') await click(queues.getByRole('link', { name: 'tasks', exact: true }));
      else await click(inRow(page, 'queue tasks, by a person').getByRole('link', { name: 'Resume it there' }));
      await click(page.locator('main button[class*="trigger"]'));
      await click(page.getByRole('menuitem', { name: action }));
      await confirm('Confirm');
      await waitUntil(async () => (await isPaused(fleet)) === (action === 'Pause'));
    },
  })),
  {
    row: 'cancel',
    repair: 'one that waits',
    async walk({ page, click, confirm }) {
      await click(page.getByRole('link', { name: 'Tasks', exact: true }));
      await click(page.getByLabel('Tick wait-1'));
      await click('Cancel 1');
      await confirm('Cancel 1 job');
      await said(page, 'Cancelled 1 job.');
      expect(await redis.redis.zscore(redis.keys.cancelled, 'wait-1')).not.toBeNull();
    },
  },
  {
    row: 'see what may have been paid without a reply',
    repair: 'settle a call',
    async walk({ page, click, confirm }) {
      await click('Settle');
      await page.getByLabel('How you know').fill('The console shows none');
      await click(page.getByLabel('Tick all of this page'));
      await click('Settle as unpaid 1');
      await confirm('Settle as unpaid: 1 call');
      await said(page, 'Settled as unpaid: 1 call');
      expect(await redis.redis.hlen(redis.keys.uncertain)).toBe(0);
    },
  },
  {
    row: 'give a goal',
    repair: 'approve its plan',
    async walk({ page, click, confirm }) {
      await click(inRow(page, 'Approve me').getByRole('link', { name: 'Look at its plan' }));
      await click('Approve & run');
      await confirm('Run');
      await said(page, 'It runs: 3 tasks.');
      expect(await stateOf('mission-planned')).toBe('running');
    },
  },
  {
    row: MISSION,
    repair: 'answer it',
    async walk({ page, click }) {
      await click(inRow(page, 'Answer me').getByRole('link', { name: 'Answer', exact: true }));
      await page.getByLabel('Your answer').fill('It is in the cellar.');
      await click('Answer');
      await said(page, 'The mission has the answer as person-1');
    },
  },
  {
    row: MISSION,
    repair: 'set it aside',
    async walk({ page, click }) {
      await click('Set it aside mission-aside');
      await said(page, 'Parked: nothing of it is lost.');
      expect(await stateOf('mission-aside')).toBe('parked');
    },
  },
  {
    row: MISSION,
    repair: 'let it go on',
    async walk({ page, click, confirm }) {
      await click('Resume mission-aside');
      await confirm('Let it go on');
      await said(page, 'The mission goes on.');
      expect(await stateOf('mission-aside')).toBe('running');
    },
  },
  {
    row: 'take a wrong finding out of the archive',
    repair: 'retract it',
    async walk({ page, dialog, click, confirm, fleet }) {
      await click('f-wrong');
      await click('Retract…');
      await dialog.getByText('No answer cited it.').waitFor();
      await dialog.getByLabel('What is wrong with it').fill('It is 42');
      await confirm('Retract');
      await said(page, 'Retracted f-wrong');
      expect((await fleet.findings.get('f-wrong'))?.status).toBe('retracted');
    },
  },
  ...(['Apply', 'Undo'] as const).map((action): Walk => ({
    row: PATCHES,
    repair: action,
    async walk({ page, click, confirm }) {
      if (action === 'Apply') await click('Mend good');
      else
        await click(
          page.locator('tr').filter({ hasText: 'patch applied' }).getByRole('link', { name: 'patch applied' }),
        );
      await click(action);
      await confirm(action);
      await said(page, action === 'Apply' ? 'Applied as' : 'Undone as');
    },
  })),
  {
    row: PATCHES,
    repair: 'Discard',
    async walk({ page, click, confirm }) {
      await click('Mend bad');
      await click('Discard');
      await confirm('Discard');
      await said(page, 'Discarded');
    },
  },
  ...[
    ['Pause rule watch', 'Paused: it starts nothing', ''],
    ['Resume rule watch', 'It goes on from its place.', 'Resume'],
  ].map(([button = '', says = '', asks = '']): Walk => ({
    row: RULES,
    repair: button,
    async walk({ page, click, confirm }) {
      await click('Rules');
      await click(button);
      if (asks !== '') await confirm(asks);
      await said(page, says);
    },
  })),
  ...[
    ['Release rule watch', 'Released: 1 task waits for a worker.', 'Release'],
    ['Drop rule other', 'Dropped: 1 chain.', 'Drop'],
  ].map(([button = '', says = '', asks = '']): Walk => ({
    row: RULES,
    repair: button,
    async walk({ page, click, confirm }) {
      await click('Release or drop');
      await click(button);
      await confirm(asks);
      await said(page, says);
    },
  })),
  {
    row: RULES,
    repair: 'remove one',
    async walk({ page, click, confirm, fleet }) {
      await click('Rules');
      await click('Remove rule other');
      await confirm('Remove');
      await said(page, 'Rule other is gone.');
      expect((await fleet.rules.list()).map(({ name }) => name)).toEqual(['watch']);
    },
  },
  {
    row: 'start, stop, use new code or a new `.env`',
    repair: 'no process is up: the command is named, and its page',
    async walk({ page, click }) {
      const row = inRow(page, 'No worker for');
      await row.locator('code', { hasText: 'fleet up' }).waitFor();
      await click('Copy fleet up');
      await row.getByText(/^(?:copied|selected)$/).waitFor();
      await click(row.getByRole('link', { name: 'Look' }));
      await said(page, 'No process is up.');
    },
  },
  {
    row: 'check everything it needs',
    repair: 'a key is damaged: the command that mends it is named',
    async walk({ page, click }) {
      const key = redis.keys.cost('haiku');
      await inRow(page, `${key} holds a list, expected a number`).waitFor();
      await click(`Copy redis-cli DEL '${key}'`);
      await said(page, /^(?:copied|selected)$/);
      await click(inRow(page, key).getByRole('link', { name: 'Look' }));
      await page.waitForURL('**/tasks?state=delayed,parked,failed');
    },
  },
];

/** The other rows: they look, add, measure, or are of a terminal. */
const NO_REPAIRS = [
  'see a whole fleet at work',
  'look',
  'find a job; see what happened to it, and what it waits for',
  'list batches, and sessions',
  'measure Redis, or how soon a task is done',
  'follow what happens, or see what happened; see who changed what',
  'see the costs',
  'add tasks',
  'which model would do a task',
  'say a task in one word',
  'do one task here, without queue and workers',
  'ask',
  'search',
  'read another swarm',
  'move findings to another swarm',
  'see the working trees of tasks on this host',
  'write from the archive',
  'take a host out',
  'see what failed',
  'let an agent or a program do tasks',
  'follow a batch',
  'share a document with tasks',
  'let others work with the fleet',
  'see what the bridge does for old programs',
  'start a new count',
  'work with Claude Code',
];

const plain = (name: string): string => name.replace(/ \(\[.*$/, '').replaceAll("'", '’');

describe.skipIf(executable === null)('each repair of docs/operate.md', () => {
  it('is known: a new row of the page is a repair with a walk, or none', () => {
    const rows = table('docs/operate.md', 'Operate').map(([name = '']) => plain(name));
    expect([...new Set([...WALKS.map(({ row }) => row), ...NO_REPAIRS])].toSorted()).toEqual(rows.toSorted());
  });

  it(
    'is done on the pages with three clicks at most',
    async () => {
      const fleet = await useFleet(redis);
      const person = makePersonRepository();
      await troubleFleet(redis, fleet, person);
      const { base } = await startDashboard(redis, {
        FLEET_WORKSPACES: `site=${person.root}`,
        FLEET_DATA: join(dirname(person.root), 'data'),
      });
      const browser = await openBrowser(executable ?? '');
      redis.cleanup(() => browser.close());
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      const dialog = page.getByRole('dialog').or(page.getByRole('alertdialog')); // the latter is Bull Board's
      const counts: Record<string, number> = {};
      for (const { row, repair, walk } of WALKS) {
        const name = `${row}: ${repair}`;
        let clicks = 0;
        const find = (label: string | RegExp) =>
          page
            .getByRole('button', { name: label, exact: true })
            .or(page.getByRole('link', { name: label, exact: true }))
            .first();
        await page.goto(base);
        await page.locator('.needs').waitFor();
        await walk({
          page,
          dialog,
          fleet,
          async click(what) {
            clicks += 1;
            await (typeof what === 'string' || what instanceof RegExp ? find(what) : what.first()).click();
          },
          confirm: (label) => dialog.getByRole('button', { name: label, exact: true }).click(),
        }).catch((error: unknown) => {
          throw new Error(`${name}, after ${clicks} clicks`, { cause: error });
        });
        counts[name] = clicks;
      }
      expect(Object.entries(counts).filter(([, clicks]) => clicks > MOST_CLICKS)).toEqual([]);
      expect(await waitUntil(() => redis.redis.hlen(redis.keys.parked).then((left) => left === 0))).toBe(true);
      expect(problems).toEqual([]);
    },
    MOST_MS,
  );
});
