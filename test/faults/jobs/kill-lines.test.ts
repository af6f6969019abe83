import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import type { ScriptName } from '../../../src/redis/scripts.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { makeFolder } from '../../support/folder.ts';
import { readBooks, toBills } from '../../support/redis/books.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { startRedisProxy, type RedisProxy, type TrapKind } from '../../support/redis/redis-proxy.ts';
import { letCallsBegin } from '../../support/pacing/let-calls-begin.ts';
import { waitUntil } from '../../support/wait.ts';

/** Records that it ran, then waits for ever while the file `hang` exists. */
const TOOL = `import { appendFileSync, existsSync } from 'node:fs';
appendFileSync('ran.txt', 'x');
if (existsSync('hang')) setInterval(() => {}, 1000);
else console.log('done');`;

interface Line {
  where: string;
  trap: [TrapKind, ScriptName, number] | 'in the call' | 'in the tool';
  /** Calls that were served and whose reply was not read, uncertain calls, and all runs of the tool. */
  lost: number;
  uncertain: number;
  tools: number;
}

/** A task of two turns. Its worker is stopped after each of its steps. */
const LINES: Line[] = [
  { where: 'between tools and the next call', trap: ['request', 'begin-turn', 2], lost: 0, uncertain: 0, tools: 2 },
  { where: 'before the second call', trap: ['answer', 'begin-turn', 2], lost: 0, uncertain: 1, tools: 1 },
  { where: 'before the finding', trap: ['request', 'finish-task', 1], lost: 1, uncertain: 1, tools: 1 },
  { where: 'before the completion', trap: ['answer', 'finish-task', 1], lost: 0, uncertain: 0, tools: 1 },
  { where: 'before the call', trap: ['answer', 'begin-turn', 1], lost: 0, uncertain: 1, tools: 1 },
  { where: 'in the call', trap: 'in the call', lost: 1, uncertain: 1, tools: 1 },
  { where: 'before the reply is stored', trap: ['request', 'settle-turn', 1], lost: 1, uncertain: 1, tools: 1 },
  { where: 'before the tools', trap: ['answer', 'settle-turn', 1], lost: 0, uncertain: 0, tools: 1 },
  { where: 'in the tool', trap: 'in the tool', lost: 0, uncertain: 0, tools: 2 },
];
const sum = (of: (line: Line) => number): number => LINES.reduce((total, line) => total + of(line), 0);

const redis = useRedis();

test('goes on elsewhere after a kill at any line, and pays and writes nothing twice', async () => {
  const trapRoot = makeFolder({ 'tool.mjs': TOOL, hang: '' });
  const fleet = await useSimulatedFleet(redis, {
    workers: 0,
    site: { 'tool.mjs': TOOL },
    simulator: { latencyMs: 20 },
  });
  const { simulator, queue, site: root } = fleet;
  const silent = await startAnthropicSimulator({ latencyMs: 3_600_000 });
  redis.cleanup(() => silent.close());
  const env = { FLEET_RUN_ALLOW: 'node' };

  await letCallsBegin(redis.db);
  // All are ready before the first job: a held worker renews no lock, and another worker would take its job.
  await queue.pause();
  const proxies: RedisProxy[] = [];
  const victims: WorkerProcess[] = [];
  for (const [i, { where, trap }] of LINES.entries()) {
    const proxy = typeof trap === 'string' ? null : await startRedisProxy(redis, toTrap(where, trap));
    if (proxy !== null) proxies.push(proxy);
    victims.push(
      await startWorkerProcess(redis, {
        id: `victim-${i}`,
        env,
        provider: trap === 'in the call' ? silent.url : simulator.url,
        workspace: trap === 'in the tool' ? trapRoot : root,
        ...(proxy === null ? {} : { redisUrl: proxy.url }),
      }),
    );
  }
  const tasks = LINES.map(() => ({ description: 'Run `node tool.mjs`', workspace: 'site' }));
  await fleet.tasks.addMany(tasks, { batch: 'line' });
  await queue.resume();
  for (const { what, hasSprung } of proxies) await waitUntil(hasSprung, { what });
  await waitUntil(() => silent.served().calls === 1, { what: 'a worker in its call' });
  await waitUntil(() => countRuns(trapRoot) === 1, { what: 'a worker in its tool' });
  await Promise.all(victims.map((victim) => victim.end('SIGKILL')));

  await startWorkerProcess(redis, { id: 'rescuer', env, provider: simulator.url, workspace: root, slots: 20 });
  const isDone = async (): Promise<boolean> => (await queue.getCompletedCount()) === LINES.length;
  await waitUntil(isDone, { timeoutMs: 15_000, what: 'the end of every job elsewhere' });

  const bills = toBills([...silent.requests(), ...simulator.requests()]);
  const books = await readBooks(redis);
  expect(bills.turns).toBe(2 * LINES.length);
  expect(bills.calls - bills.turns).toBe(sum((line) => line.lost));
  expect(books.uncertainCalls).toBe(sum((line) => line.uncertain));
  expect(books.ledgerCalls).toBe(bills.turns);
  expect(books.settled).toBe(bills.lastNano);
  expect(books.costHaiku).toBe(books.settled);
  expect(books).toMatchObject({ reserved: 0, openReservations: 0 });
  expect(countRuns(root) + countRuns(trapRoot)).toBe(sum((line) => line.tools));
  expect(await redis.redis.xlen(redis.keys.events)).toBe(LINES.length);
  expect(await redis.redis.zcard(redis.keys.index)).toBe(LINES.length);
});

function toTrap(where: string, [kind, script, nth]: [TrapKind, ScriptName, number]) {
  return { kind, script, nth, what: `a worker ${where}` };
}

function countRuns(root: string): number {
  const path = join(root, 'ran.txt');
  return existsSync(path) ? readFileSync(path, 'utf8').length : 0;
}
