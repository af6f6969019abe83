/**
 * Takes the screenshots of the documents: `npm run build && node scripts/screenshots.mjs`. It starts a demo fleet with
 * simulated models, adds jobs, some of which fail, opens the pages with chromium, and removes the fleet.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const images = join(root, 'docs', 'images');
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
);
if (!existsSync(join(root, 'dist/src/index.js'))) fail('it is not built: npm run build');
if (executablePath === undefined) fail('chromium is missing: apt-get install -y chromium');

const { startDemoFleet, DEMO_WORKSPACE } = await import('../dist/src/demo/demo-fleet.js');
const { connectFleet } = await import('../dist/src/index.js');
const { connectRedis } = await import('../dist/src/redis/connect.js');
const { createDb } = await import('../dist/src/redis/db.js');
const { sampleTallies } = await import('../dist/src/swarm/tallies/sample-tallies.js');
const { SPAN_NAMES } = await import('../dist/src/swarm/tallies/spans.js');

/** A mission that is done on the screenshots. */
const GOAL = 'What is in here, what does it do, and what is left to do?';
/** A mission that runs on the screenshots. */
const RUNNING_GOAL = 'Which error messages name no way out? Look at every file that throws one.';
const KEPT_FAILED = 'rate-comments';
/** No result fits it. */
const SCORE = {
  type: 'object',
  required: ['score'],
  properties: { score: { type: 'integer', minimum: 6, maximum: 5 } },
};
/** Tasks that fail: one needs a decision, two have a schema that nothing fits. */
const FAILING = [
  ['choose-database', { kind: 'analysis', description: 'Decide which database the next ledger should use.' }],
  [KEPT_FAILED, { kind: 'docs', description: 'Rate the comments of pricing/catalog.ts.', schema: SCORE }],
  [
    'rate-names',
    { kind: 'search', description: 'Find where "toFindingId" is used, and rate the names.', schema: SCORE },
  ],
];
/** Words of the questions to the archive, so that the shards have made calls. */
const QUESTIONS = [
  'runTask',
  'TODO',
  'haiku/loop/task-loop.ts',
  'librarian',
  'citations',
  'lines',
  'folder',
  'budget',
  'tools',
];
/** Tasks that run on the screenshots. The simulated model reads the mark. */
const RUNNING = ['count-exports', 'list-scripts', 'describe-tools'];
const RUNNING_MARK = '[[latency:20000]]';
const RUNNING_MISSION_TASKS = 12;
const RUNNING_MISSION_MARK = `[[tasks:${RUNNING_MISSION_TASKS}]] [[task-latency:20000]]`;
const LONGEST_MS = 60_000;
/** An hour before the demo, for the charts: what had been counted at its end, tasks by the upper bounds of their durations and nano-dollars. */
const PAST = {
  'job|tasks|completed|2500': 96,
  'job|tasks|completed|5000': 148,
  'job|tasks|completed|10000': 61,
  'job|tasks|completed|30000': 24,
  'job|tasks|failed|5000': 17,
  'job|tasks|partial|60000': 9,
  'nano|haiku|claude-haiku-5-5': 231_000_000,
  'nano|sonnet|claude-sonnet-5-5': 174_000_000,
};
/** Words of the batch's tasks. */
const BATCH_WORDS = ['toFindingId', 'packEntry', 'formatUsd', 'toOneLine', 'openFleet', 'readHalt'];
/** The pages with a picture each: where they are, and the text by which they are there. */
const PAGES = {
  overview: { path: '', until: 'Ended tasks', height: 1300 },
  costs: { path: '/costs?by=model', until: 'claude-haiku' },
  workers: { path: '/workers', until: 'count-exports' },
  batch: { path: '/batches/nightly', until: 'nightly' },
  archive: { path: '/archive', until: 'What is known about' },
  rules: { path: '/rules', until: 'todo-notes' },
  audit: { path: '/audit', until: 'rule-add' },
};

const workspace = join(root, 'src');
const fleet = await startDemoFleet({ workspace, keep: false, haikuCount: 2 }, () => undefined);
try {
  Object.assign(process.env, { FLEET_HOME: fleet.folder, FLEET_WORKSPACES: `${DEMO_WORKSPACE}=${workspace}` });
  await givePast();
  const connection = await connectFleet({ redisUrl: fleet.config.REDIS_URL });
  try {
    await giveWork(connection);
  } finally {
    await connection.close();
  }
  await photograph(fleet.dashboardUrl);
} finally {
  await fleet.stop();
}

/** The swarm is simulated, and so is its past: the counts grow unevenly from nothing to those of `PAST`. */
async function givePast() {
  const redis = await connectRedis(fleet.config.REDIS_URL, { role: 'producer' });
  const db = createDb(redis, fleet.config.FLEET_SWARM ?? null);
  await redis.del(SPAN_NAMES.map((span) => db.keys.samples(span)));
  const now = db.clock.now();
  for (let minute = 0; minute <= 60; minute += 1) {
    const share = (minute + 4 * Math.sin(minute / 5) * (1 - minute / 60)) / 60;
    const counts = Object.entries(PAST).map(([field, count], i) => [
      field,
      Math.round(count * Math.max(0, share) ** (1 + i / 9)),
    ]);
    await redis.hset(db.keys.metrics, Object.fromEntries(counts));
    await sampleTallies(db, now - (60 - minute) * 60_000);
  }
  redis.disconnect();
}

async function giveWork(connection) {
  const mission = await connection.missions.add({ goal: GOAL, workspace: DEMO_WORKSPACE });
  await mission.finding({ timeoutMs: LONGEST_MS });
  for (const [taskId, task] of FAILING) {
    await connection.tasks.add({ ...task, workspace: DEMO_WORKSPACE }, { taskId });
  }
  await until(connection, ({ waiting, active, failed }) => waiting + active === 0 && failed === FAILING.length);
  await connection.tasks.addMany(
    BATCH_WORDS.map((word) => ({ kind: 'search', description: `Where is ${word} used?`, workspace: DEMO_WORKSPACE })),
    { batch: 'nightly' },
  );
  await connection.when('todo-notes', { match: { topic: 'todo' }, task: 'Say who could do this.' });
  const queries = await Promise.all(QUESTIONS.map((word) => connection.ask(`What is known about ${word}?`)));
  await Promise.all(queries.map((query) => query.finding({ timeoutMs: LONGEST_MS })));
  await connection.missions.add({ goal: `${RUNNING_GOAL} ${RUNNING_MISSION_MARK}`, workspace: DEMO_WORKSPACE });
  for (const taskId of RUNNING) await connection.tasks.add({ description: `Wait ${RUNNING_MARK}` }, { taskId });
  await until(connection, ({ active }) => active === RUNNING.length + RUNNING_MISSION_TASKS);
  await sleep(1_000); // a worker reports its jobs with a delay
}

async function until(connection, holds) {
  for (const end = Date.now() + LONGEST_MS; Date.now() < end; await sleep(200)) {
    const { queues } = await connection.status();
    if (holds(queues.find(({ name }) => name === 'tasks'))) return;
  }
  throw new Error('the demo fleet did not get through its work');
}

async function photograph(base) {
  mkdirSync(images, { recursive: true });
  const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
  try {
    for (const colorScheme of ['light', 'dark']) {
      for (const [name, { path, until: text, height = 900 }] of Object.entries(PAGES)) {
        const page = await browser.newPage({ colorScheme, viewport: { width: 1100, height } });
        await page.goto(base + path);
        await page.getByText(text).first().waitFor();
        await shoot(page, `${name}-${colorScheme}.png`);
        await page.close();
      }
    }
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.newPage({ colorScheme, viewport: { width: 1100, height: 900 } });
      await page.goto(`${base}/tasks?state=failed,done&model=claude-haiku-5-5`);
      await page.getByText(KEPT_FAILED).waitFor();
      await shoot(page, `tasks-${colorScheme}.png`);
      await page.getByText(KEPT_FAILED, { exact: true }).click();
      await page.getByText('fleet retry --reason schema').waitFor();
      await shoot(page, `task-${colorScheme}.png`);
      await page.close();
    }
    const page = await browser.newPage({ viewport: { width: 1100, height: 560 } });
    await page.goto(`${base}/queues/queue/tasks/${KEPT_FAILED}?status=failed`);
    await page
      .getByText(/schema: the result does not fit/)
      .first()
      .waitFor();
    await shoot(page, 'bull-board-failed.png');
  } finally {
    await browser.close();
  }
}

async function shoot(page, name) {
  const path = join(images, name);
  await page.screenshot({ path, animations: 'disabled' });
  console.log(`docs/images/${name}  ${Math.ceil(statSync(path).size / 1_000)} kB`);
}

function fail(why) {
  console.error(`screenshots: ${why}`);
  process.exit(1);
}
