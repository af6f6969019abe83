import { expect, test } from 'vitest';
import { createFindingStore } from '../../../src/findings/store.ts';
import type { ScriptName } from '../../../src/redis/scripts.ts';
import { storeSessions } from '../../support/redis/store-findings.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks, toBills } from '../../support/redis/books.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { startRedisProxy, type TrapKind } from '../../support/redis/redis-proxy.ts';
import { waitUntil } from '../../support/wait.ts';

const OLD = 5_060;
const CURRENT = 40;

/** Where a coordinator dies: before or after the n-th run of a script. */
const LINES: [TrapKind, ScriptName, number][] = [
  ['answer', 'begin-turn', 3], // its calls are reserved, and perhaps under way
  ['request', 'settle-turn', 2], // served, but the reply is not stored
  ['answer', 'settle-turn', 2], // stored, no summary yet
  ['request', 'compact-findings', 1], // the same, one step later
  ['answer', 'compact-findings', 2], // recorded, but the process gets no answer
];

const redis = useRedis();

test('condenses an archive to its end through kills at any line, loses no finding and pays no summary twice', async () => {
  const { keys, redis: admin, db } = redis;
  await storeSessions(redis, { old: OLD, now: CURRENT });
  const fleet = await useSimulatedFleet(redis, { workers: 0, simulator: { latencyMs: 20, logLimit: 10_000 } });
  const { simulator } = fleet;
  await admin.hset(keys.session, { name: 'now', startedAt: new Date().toISOString(), explicit: 1, findings: 0 });
  const store = createFindingStore(db);
  let missions = 0;
  const addMission = () =>
    fleet.inner.queues.missions.add(
      'mission',
      { goal: 'Say what is known', session: 'now' },
      { jobId: `mission-kill-${(missions += 1)}` },
    );

  for (const [kind, script, nth] of LINES) {
    const what = `a coordinator at ${kind} of ${script}`;
    const proxy = await startRedisProxy(redis, { kind, script, nth, what });
    const victim = await startWorkerProcess(redis, {
      id: `victim-${missions}`,
      kind: 'coordinator',
      provider: simulator.url,
      redisUrl: proxy.url,
    });
    await addMission();
    await waitUntil(proxy.hasSprung, { what: proxy.what });
    await victim.end('SIGKILL');
    await expectAllReadable();
    await admin.del(keys.lease('compaction')); // as its expiry would do some seconds later
  }
  await startWorkerProcess(redis, { id: 'rescuer', kind: 'coordinator', provider: simulator.url });
  await addMission();
  await waitUntil(async () => (await admin.zcard(keys.index)) <= 4_500, { timeoutMs: 60_000, what: 'the compaction' });
  await waitUntil(async () => (await admin.hlen(keys.compactionPieces)) === 0, { what: 'its last pieces' });
  await expectAllReadable();

  const calls = simulator.requests().filter((record) => record.user?.startsWith('compaction-') === true);
  const bills = toBills(calls);
  const books = await readBooks(redis);
  expect(books.costHaiku).toBe(bills.lastNano); // no worker ran: the whole cost is of summaries
  expect(Number(await admin.hget(keys.counters, 'summaries'))).toBe(bills.turns);
  // A call that was served beyond one for each summary was lost with its process before it was stored: it is booked as uncertain.
  expect(bills.calls - bills.turns).toBeLessThanOrEqual(books.uncertainCalls);
  expect(books.uncertainCalls).toBeLessThanOrEqual(LINES.length * 4); // at each kill at most four calls are under way

  async function expectAllReadable(): Promise<void> {
    const ids = [
      ...Array.from({ length: OLD }, (_, i) => `finding_old-${i + 1}`),
      ...Array.from({ length: CURRENT }, (_, i) => `finding_now-${i + 1}`),
    ];
    for (let from = 0; from < ids.length; from += 500) {
      const found = await Promise.all(ids.slice(from, from + 500).map((id) => store.get(id)));
      expect(
        found.filter((finding) => !/^What (old|now) learned/.test(JSON.stringify(finding?.result).slice(1))),
      ).toEqual([]);
    }
  }
});
