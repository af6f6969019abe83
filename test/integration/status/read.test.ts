import { FlowProducer, Queue, Worker } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { queueRegistry } from '../../../queues/registry.ts';
import { tasksQueue } from '../../../queues/tasks.ts';
import { beginSession } from '../../../src/swarm/session.ts';
import { readStatus } from '../../../src/status/read/snapshot.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const fixture = useRedis();

async function openFleet() {
  const db = await fixture.connectDb();
  const { redis, keys } = db;
  const queues = Object.keys(queueRegistry).map(
    (name) => new Queue(name, { connection: redis, prefix: keys.bullPrefix }),
  );
  fixture.cleanup(() => Promise.all(queues.map((queue) => queue.close())));
  await Promise.all(queues.map((queue) => queue.waitUntilReady()));
  const read = () => readStatus(db, { defaultDayLimitNanoUsd: 5_000_000_000 });
  return { redis, keys, queues, read };
}

/** Calls of every command since the last reset, scripts' inner ones included. */
async function countCommands(act: () => Promise<unknown>): Promise<Record<string, number>> {
  await fixture.redis.config('RESETSTAT');
  await act();
  const text = await fixture.redis.info('commandstats');
  const rows = [...text.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map((row) => [row[1] ?? '', Number(row[2])] as const);
  return Object.fromEntries(rows.filter(([name]) => !/^(info|config)/.test(name)));
}

describe('readStatus', () => {
  it('finds an untouched Redis to be a quiet fleet', async () => {
    const { read } = await openFleet();
    const snapshot = await read();
    expect(snapshot).toMatchObject({
      kind: null,
      findings: { live: 0, sinceSession: 0, partialSinceSession: 0, toolErrorsSinceSession: 0, contextTokens: 0 },
      workers: [],
      halt: null,
      failed: [],
      counters: {},
      budget: { limitNanoUsd: 5_000_000_000, settledNanoUsd: 0 },
    });
    expect(snapshot.queues.map((queue) => queue.name)).toEqual(['tasks', 'archive', 'missions']);
  });

  it('sends the same commands at no finding and at ten thousand', async () => {
    const { redis, keys, read } = await openFleet();
    await read(); // sends the scripts' texts once
    const atNone = await countCommands(read);
    for (let from = 0; from < 10_000; from += 1_000) {
      const members = Array.from({ length: 1_000 }, (_, i) => [from + i, `finding_${from + i}`]).flat();
      await redis.zadd(keys.index, ...members);
    }
    const atMany = await countCommands(read);
    expect(atMany).toEqual(atNone);
    expect(Object.keys(atMany)).not.toContain('scan');
    expect(Object.keys(atMany)).not.toContain('keys');
    expect((await read()).findings.live).toBe(10_000);
  });

  it('counts only workers seen within a minute of the clock of Redis', async () => {
    const { redis, keys, read } = await openFleet();
    const [seconds] = await redis.time();
    const worker = (id: string, ageMs: number) =>
      JSON.stringify({
        id,
        kind: 'haiku',
        host: 'box',
        pid: 7,
        slots: 20,
        active: ['a-1'],
        workspaces: ['site'],
        startedAt: '2025-11-21T10:00:00.000Z',
        seenAt: Number(seconds) * 1_000 - ageMs,
      });
    await redis.hset(keys.workers, { w1: worker('w1', 5_000), w2: worker('w2', 90_000), w3: 'not json' });
    const { workers } = await read();
    expect(workers.map((found) => found.id)).toEqual(['w1']);
    expect(workers[0]?.active).toEqual(['a-1']);
  });

  it('reports what other programs added to the public totals as external', async () => {
    const { redis, keys, read } = await openFleet();
    await redis.hset(keys.session, { name: 's1', startedAt: '2025-11-21T10:00:00.000Z', explicit: '1', findings: 3 });
    await redis.hset(keys.sessionTotals('s1'), { 'haiku:nano': 2_000_000, 'haiku:tokens': 500, 'haiku:tasks': 4 });
    await redis.set(keys.cost('haiku'), '0.002');
    await redis.incrbyfloat(keys.cost('haiku'), 0.5);
    const { spend, findings } = await read();
    expect(spend.haiku).toEqual({ nanoUsd: 502_000_000, externalNanoUsd: 500_000_000, tokens: 500, tasks: 4 });
    expect(findings.sinceSession).toBe(3);
  });

  it('takes the work of another session, paid since this one began, for no other program’s', async () => {
    const model = createScriptedModel(() => 'found');
    const fleet = await useFleet(fixture, { haiku: model });
    const { inner } = fleet;
    const run = async (id: string, session: string) => {
      await inner.queues.tasks.add(tasksQueue.jobName, { description: 'Look at it.', session }, { jobId: id });
      await waitUntil(async () => (await inner.queues.tasks.getJobState(id)) === 'completed');
    };
    await beginSession(inner.db, 'before');
    await run('t-1', 'before');
    await beginSession(inner.db, 'now');
    await run('t-2', 'before'); // stamped before the session in force began
    await run('t-3', 'now');
    const { read } = await openFleet();
    const { haiku } = (await read()).spend;
    expect(haiku.nanoUsd).toBeGreaterThan(0);
    expect(haiku.externalNanoUsd).toBe(0);
    await fixture.redis.incrbyfloat(fixture.keys.cost('haiku'), 0.5);
    expect((await read()).spend.haiku.externalNanoUsd).toBe(500_000_000);
  });

  it('counts jobs as BullMQ itself does', async () => {
    const { redis, keys, read } = await openFleet();
    const connection = { connection: redis, prefix: keys.bullPrefix };
    const flow = new FlowProducer(connection);
    const worker = new Worker('tasks', null, { ...connection, autorun: false });
    fixture.cleanup(() => Promise.all([flow.close(), worker.close()]));
    const queue = new Queue('tasks', connection);
    fixture.cleanup(() => queue.close());
    await queue.addBulk(Array.from({ length: 6 }, () => ({ name: 'task', data: {} })));
    for (const end of ['active', 'completed', 'completed', 'failed']) {
      const job = await worker.getNextJob('token');
      if (end === 'completed') await job?.moveToCompleted('done', 'token', false);
      if (end === 'failed') await job?.moveToFailed(new Error('no'), 'token', false);
    }
    await queue.add('task', {}, { priority: 3 });
    await queue.add('task', {}, { delay: 3_600_000 });
    await flow.add({ name: 'task', queueName: 'tasks', children: [{ name: 'query', queueName: 'archive' }] });
    await queue.pause();

    const counts = await queue.getJobCounts();
    const [tasks, archive] = (await read()).queues;
    expect(tasks).toEqual({
      name: 'tasks',
      paused: await queue.isPaused(),
      waiting: Number(counts['waiting']) + Number(counts['prioritized']),
      active: counts['active'],
      delayed: counts['delayed'],
      waitingForChildren: counts['waiting-children'],
      parked: 0,
      completed: counts['completed'],
      failed: counts['failed'],
      cancelled: 0,
    });
    expect(tasks).toMatchObject({ waiting: 3, active: 1, delayed: 1, waitingForChildren: 1, completed: 2, failed: 1 });
    expect(archive).toMatchObject({ waiting: 1, paused: false });
  });

  it('groups failed jobs by the reason their text begins with', async () => {
    const { redis, keys, queues, read } = await openFleet();
    const reasons = ['schema: not an array', 'schema: again', 'refusal: no', 'TypeError of ours'];
    for (const [i, failedReason] of reasons.entries()) {
      await redis.zadd(keys.queueKey('tasks', 'failed'), i, `job-${i}`);
      await redis.hset(keys.queueKey('tasks', `job-${i}`), { failedReason });
    }
    const { failed } = await read();
    expect(queues).toHaveLength(3);
    expect(failed).toEqual([
      { queue: 'tasks', reason: 'schema', count: 2 },
      { queue: 'tasks', reason: 'other', count: 1 },
      { queue: 'tasks', reason: 'refusal', count: 1 },
    ]);
  });

  it('takes parked jobs out of the delayed ones and says what they wait for', async () => {
    const { redis, keys, queues, read } = await openFleet();
    for (const id of ['p-1', 'p-2', 'd-1']) await queues[0]?.add('task', {}, { jobId: id, delay: 3_600_000 });
    const waitsFor = JSON.stringify({ scope: 'batch', name: 'nightly' });
    await redis.hset(keys.parked, { 'p-1': waitsFor, 'p-2': waitsFor });
    const snapshot = await read();
    expect(snapshot.queues[0]).toMatchObject({ delayed: 1, parked: 2 });
    expect(snapshot.parked).toEqual([{ scope: 'batch', name: 'nightly', count: 2 }]);
  });

  it('says which queue is paused and that nobody takes the waiting tasks', async () => {
    const { queues, read } = await openFleet();
    await queues[0]?.add('task', {});
    await queues[0]?.pause();
    const snapshot = await read();
    expect(snapshot.queues[0]).toMatchObject({ paused: true, waiting: 1 });
    expect(snapshot.tasksWithoutWorker).toBe(1);
  });

  it('names an old mission that asks, behind the newest ones', async () => {
    const { redis, keys, queues, read } = await openFleet();
    const missions = queues.find(({ name }) => name === 'missions');
    for (const [i, state] of ['asks', 'parked', ...Array<string>(6).fill('running')].entries()) {
      const id = `mission-${i}`;
      await redis.hset(keys.mission(id), { goal: 'Find out', state, problem: 'which one?' });
      await redis.zadd(keys.missions, i, id);
      if (i < 2) await missions?.add('mission', {}, { jobId: id, delay: 1_000_000 });
    }
    const { missions: lines } = await read();
    expect(lines.map(({ id }) => id)).toEqual([7, 6, 5, 4, 3, 0].map((n) => `mission-${n}`));
  });

  it('shows the batches that run, with their pace, also beside a damaged one', async () => {
    const { redis, keys, read } = await openFleet();
    for (const [i, batch] of ['ended', 'runs', 'damaged'].entries()) {
      await redis.zadd(keys.batches, i, batch);
      await redis.hset(keys.batch(batch), { tasks: batch === 'ended' ? 4 : 10 });
      for (let n = 0; n < 4; n++) {
        await redis.zadd(keys.indexByBatch(batch), Date.now() - 60_000 + n * 20_000, `finding_${batch}_${n}`);
      }
    }
    await redis.sadd(keys.batchFailed('runs'), 'runs-9');
    await redis.del(keys.indexByBatch('damaged'));
    await redis.set(keys.indexByBatch('damaged'), 'text');
    const { batches } = await read();
    expect(batches).toMatchObject([
      { batch: 'damaged', completed: 0, pace: null },
      { batch: 'runs', tasks: 10, completed: 4, failed: 1, costNanoUsd: 0, limitNanoUsd: null },
    ]);
    const { pace } = batches[1] ?? {};
    expect(pace).toEqual({ perMinute: expect.any(Number), leftMs: expect.any(Number) });

    const mark = JSON.stringify({ scope: 'batch', name: 'runs' });
    const park = (from: number, to: number) => {
      const ids = Array.from({ length: to - from + 1 }, (_, i) => `runs-${from + i}`);
      return redis.hset(keys.parked, Object.fromEntries(ids.map((id) => [id, mark])));
    };
    await park(1, 4);
    const [, some] = (await read()).batches;
    expect(some?.parked).toBe(4);
    expect(some?.pace?.leftMs).toBeLessThan((pace?.leftMs ?? 0) / 3); // of five open tasks one can run
    await park(5, 5);
    expect((await read()).batches).toMatchObject([{ parked: 0 }, { batch: 'runs', parked: 5, pace: null }]);
    await park(6, 1_001);
    expect((await read()).batches).toMatchObject([{ parked: null }, { batch: 'runs', parked: null, pace: null }]);
  });

  it('says that nobody takes the waiting questions, until a librarian gives a sign of life', async () => {
    const { redis, keys, queues, read } = await openFleet();
    await queues.find(({ name }) => name === 'archive')?.add('query', {});
    expect(await read()).toMatchObject({ questionsWithoutLibrarian: 1, missionsWithoutCoordinator: 0 });
    await redis.hset(keys.attendants, 'librarian_dead_001', Date.now() - 80_000);
    expect(await read()).toMatchObject({ questionsWithoutLibrarian: 1 });
    await redis.hset(keys.attendants, 'librarian_box_001', Date.now());
    expect(await read()).toMatchObject({ questionsWithoutLibrarian: 0 });
  });

  it('reads halt, cooling models, counters and uncertain calls', async () => {
    const { redis, keys, read } = await openFleet();
    const day = new Date().toISOString().slice(0, 10);
    await redis.set(
      keys.haltReason,
      JSON.stringify({ reason: 'by hand', step: 'none', at: 'now', by: 'anna', detail: '' }),
    );
    await redis.hset(keys.modelsInUse, { 'model-a': 1, 'model-b': 2 });
    await redis.set(keys.cooldown('model-b'), '1', 'PX', 60_000);
    await redis.hset(keys.counters, { recoveries: 2, quarantined: 0, uncertain_calls: 1 });
    await redis.hset(keys.spend(`day:${day}`), { settled: 10, reserved: 20, uncertain: 30 });
    await redis.hset(keys.budget, { day: 1_000 });
    const snapshot = await read();
    expect(snapshot.halt).toMatchObject({ reason: 'by hand', by: 'anna' });
    expect(snapshot.cooling).toEqual([{ model: 'model-b', forMs: expect.any(Number), isForMoney: false }]);
    expect(snapshot.counters).toEqual({ recoveries: 2 });
    expect(snapshot.uncertain).toEqual({ callCount: 1, todayNanoUsd: 30 });
    expect(snapshot.budget).toMatchObject({ limitNanoUsd: 1_000, settledNanoUsd: 10, reservedNanoUsd: 20 });
  });

  it('treats any text under the halt key as a halt', async () => {
    const { redis, keys, read } = await openFleet();
    await redis.set(keys.haltReason, 'stop, says another program');
    expect((await read()).halt).toMatchObject({ reason: 'unknown', detail: 'stop, says another program' });
  });
});
