import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { toLocalDay, toUtcDay } from '../../../src/findings/timestamp.ts';
import { connectQueue } from '../../../src/jobs/connect-queue.ts';
import { readLedger } from '../../../src/ledger/report/report.ts';
import { toNanoUsd } from '../../../src/pricing/money.ts';
import type { StatusSnapshot } from '../../../src/status/types.ts';
import { plainEnvironment, runFleet, type CommandResult } from '../../support/process/fleet-command.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { readBooks } from '../../support/redis/books.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const AHEAD_MS = 130 * 60_000;
const BEHIND_MS = -26 * 3_600_000;
const TASKS = 60;
const BUDGET_USD = 0.02;

/** Variables of a process whose clock is so far ahead, or jumps between several times. */
function withClock(...aheadMs: number[]): Record<string, string> {
  const preload = new URL('../../support/process/shifted-clock.mjs', import.meta.url).href;
  return { NODE_OPTIONS: `--import=${preload}`, TEST_CLOCK_AHEAD_MS: aheadMs.join(',') };
}

const fleet = (aheadMs: number, ...args: string[]): Promise<CommandResult> =>
  runFleet(args, plainEnvironment(swarmEnvironment(redis, withClock(aheadMs))));

const sumOf = (spend: Record<string, string>): number =>
  ['settled', 'reserved', 'uncertain'].reduce((sum, part) => sum + Number(spend[part] ?? 0), 0);

it('hosts with wrong clocks share one budget of the day, one session and one order', async () => {
  const today = toUtcDay(new Date());
  const startedAt = Date.now();
  const simulator = await startAnthropicSimulator({ latencyMs: 20 });
  redis.cleanup(() => simulator.close());
  const start = (id: string, ...aheadMs: number[]) =>
    startWorkerProcess(redis, {
      id,
      provider: simulator.url,
      slots: 4,
      env: { FLEET_BUDGET_USD: String(BUDGET_USD), ...withClock(...aheadMs) },
    });
  await Promise.all([start('ahead', AHEAD_MS), start('behind', BEHIND_MS), start('jumps', AHEAD_MS, BEHIND_MS, 0)]);

  const lines = Array.from({ length: TASKS }, (_, i) => `Say ${i} [[turns:1]] [[tokens:4000]]`);
  for (const line of lines.slice(0, 2)) expect(await fleet(BEHIND_MS, 'task', line)).toMatchObject({ code: 0 });
  const session = await redis.redis.hgetall(redis.keys.session);
  expect(session['name']).toBe(toLocalDay(new Date()));
  await addTasks(lines.slice(2));

  await waitUntil(() => redis.redis.exists(redis.keys.haltReason), { what: 'the halt', timeoutMs: 60_000 });
  const days = await redis.redis.keys(redis.keys.spend('day:*'));
  expect(days).toEqual([redis.keys.spend(`day:${today}`)]);
  expect(sumOf(await redis.redis.hgetall(redis.keys.spend(`day:${today}`)))).toBeLessThanOrEqual(toNanoUsd(BUDGET_USD));

  const snapshot = JSON.parse((await fleet(AHEAD_MS, 'status', '--json')).stdout) as StatusSnapshot;
  expect(snapshot.workers.map(({ id }) => id)).toEqual(['ahead', 'behind', 'jumps']);
  expect(snapshot.budget.day).toBe(today);
  expect(snapshot.hostClocks.map(({ host }) => host)).toEqual([hostname()]);
  expect((await fleet(0, 'status')).stdout).toMatch(
    new RegExp(`⚠ clock of ${hostname()} is .* Redis: set it with NTP`),
  );
  expect((await fleet(AHEAD_MS, 'doctor')).stdout).toMatch(/clocks.*2 h 10 min ahead of Redis/);

  expect(await fleet(AHEAD_MS, 'budget', '5')).toMatchObject({ code: 0 });
  expect(await fleet(BEHIND_MS, 'resume')).toMatchObject({ code: 0 });
  await waitUntil(async () => (await redis.redis.zcard(redis.keys.index)) === TASKS, {
    what: 'all findings',
    timeoutMs: 60_000,
  });

  const books = await readBooks(redis);
  expect(books).toMatchObject({ reserved: 0, uncertain: 0, ledgerCalls: TASKS });
  expect(books.settled).toBe(simulator.served().billNanoUsd);
  expect(new Set((await readLedger(redis.db)).map(({ day }) => day))).toEqual(new Set([today]));
  const costs = await fleet(BEHIND_MS, 'costs', '--by', 'day', '--json');
  expect(JSON.parse(costs.stdout)).toMatchObject({ rows: [{ name: today, calls: TASKS }] });
  const scores = (await redis.redis.zrange(redis.keys.index, 0, '-1', 'WITHSCORES')).filter((_, i) => i % 2 === 1);
  for (const score of scores.map(Number)) {
    expect(score).toBeGreaterThan(startedAt - 2_000);
    expect(score).toBeLessThan(Date.now() + 2_000);
  }
}, 150_000);

/** Adds tasks in one step. */
async function addTasks(descriptions: string[]): Promise<void> {
  const queue = connectQueue('tasks', redis.db);
  redis.cleanup(() => queue.close());
  await queue.addBulk(descriptions.map((description) => ({ name: 'task', data: { description } })));
}
