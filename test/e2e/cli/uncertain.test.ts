import { expect, it } from 'vitest';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { readBooks } from '../../support/redis/books.ts';
import { loseCall } from '../../support/redis/uncertain-call.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const shell = useShell(redis);
/** The day before yesterday: the report of yesterday is whole only an hour after it. */
const DAY_BEFORE = toUtcDay(new Date(Date.now() - 2 * 86_400_000));
const WHY = ['--why', 'the console shows no such call'];

it('shows uncertain calls, and takes a person’s word for what they cost', async () => {
  const tasks = await openBareQueue(redis, 'tasks');
  await tasks.add('task', { description: 'Say it' }, { jobId: 'job-1', delay: 3_600_000 });
  await redis.redis.hset(redis.keys.parked, 'job-1', '{"scope":"batch","name":"nightly","queue":"tasks"}');
  const { reservation } = await loseCall(redis, { worstNanoUsd: 7_000_000, batch: 'nightly' });
  await loseCall(redis, { jobId: 'job-2', worstNanoUsd: 2_000_000 });

  const shown = await shell.run('costs', '--uncertain');
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(/job-1 .*\$0\.007000/);
  expect(shown.stdout).toContain('2 calls, at most $0.0090');
  expect((await shell.run('budget')).stdout).toContain('$0.0090 uncertain');

  const settled = await shell.run('budget', '--settle-uncertain', reservation.slice(-8), 'unpaid', ...WHY);
  expect(settled).toMatchObject({ code: 0, stderr: '' });
  expect(settled.stdout).toBe(
    'Settled as unpaid: 1 call, $0.0070 counts no longer against any budget\nReleased: 1 parked job, waiting for a worker again\n',
  );
  const paid = await shell.run('budget', '--settle-uncertain', '--all', 'paid', ...WHY, '--json');
  expect(JSON.parse(paid.stdout)).toMatchObject({ verdict: 'paid', nanoUsd: 2_000_000 });
  expect(await readBooks(redis)).toMatchObject({ settled: 2_000_000, uncertain: 0 });
  const after = await shell.run('costs', '--uncertain');
  expect(after.stdout).toMatch(
    /^No call is of uncertain cost\.\n\nSettled last:\n.*job-2 .*paid, \$0\.002000 .*\n.*job-1 .*unpaid/,
  );
}, 60_000);

it.each([
  [['--settle-uncertain', 'x', 'unpaid'], 'expected --why'],
  [['--settle-uncertain', 'x', ...WHY], 'expected paid or unpaid'],
  [['--settle-uncertain', 'unpaid', ...WHY], 'expected paid or unpaid'],
  [['--settle-uncertain', 'x', '--all', 'paid', ...WHY], 'expected a call, or --all'],
  [['unpaid'], 'belong to --settle-uncertain'],
  [['--settle-uncertain', 'x', 'paid', '--batch', 'b', ...WHY], 'expected no --client, --batch'],
])('explains a wrong `fleet budget %j`, exit 2', async (args, words) => {
  const { code, stderr } = await shell.run('budget', ...args);
  expect(stderr).toContain(words);
  expect(code).toBe(2);
});

it.each([
  [['--uncertain', '--batch', 'nightly'], "'--uncertain' cannot be used with option '--batch <name>'"],
  [['--reconcile', '2026-11-21', '--by', 'model'], "'--reconcile <day>' cannot be used with option '--by <dimension>'"],
  [['--reconcile', '2026-11-21', '--uncertain'], "'--reconcile <day>' cannot be used with option '--uncertain'"],
])('refuses what `fleet costs %j` would ignore, exit 2', async (args, words) => {
  const { code, stderr } = await shell.run('costs', ...args);
  expect(stderr).toContain(words);
  expect(code).toBe(2);
});

it('says that a call is not uncertain, exit 1', async () => {
  const { code, stderr } = await shell.run('budget', '--settle-uncertain', 'x', 'paid', ...WHY);
  expect(stderr).toContain('call x: its cost is not uncertain');
  expect(code).toBe(1);
});

it('asks the provider what a day cost, with an admin key', async () => {
  const simulator = await startAnthropicSimulator();
  redis.cleanup(() => simulator.close());
  await loseCall(redis, { at: new Date(`${DAY_BEFORE}T12:00:00Z`) });
  const reconcile = (day: string, env: Record<string, string>): ReturnType<typeof shell.run> =>
    shell.start(['costs', '--reconcile', day], { env: { FLEET_OFFLINE: '0', ...env } }).done;
  const real = { ANTHROPIC_BASE_URL: simulator.url };
  expect(await reconcile(toUtcDay(new Date()), real)).toMatchObject({ code: 2 });
  const without = await reconcile(DAY_BEFORE, real);
  expect(without.stderr).toContain('ANTHROPIC_ADMIN_KEY: expected a key of the Admin API');
  const gateway = { ANTHROPIC_BASE_URL: 'https://gateway.example.org', ANTHROPIC_ADMIN_KEY: 'admin-key-of-a-test' };
  expect((await reconcile(DAY_BEFORE, gateway)).stderr).toContain('another server does not get the admin key');
  const done = await reconcile(DAY_BEFORE, { ...real, ANTHROPIC_ADMIN_KEY: 'admin-key-of-a-test' });
  expect(done).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout).toContain('settled as not billed');
  expect(await redis.redis.hlen(redis.keys.uncertain)).toBe(0);
}, 60_000);
