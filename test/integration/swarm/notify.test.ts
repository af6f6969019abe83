import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createHaltSwitch } from '../../../src/halt/halt.ts';
import type { Config } from '../../../src/config/environment.ts';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
import { lookForAlerts } from '../../../src/jobs/alerts/alerts.ts';
import { createNotifier } from '../../../src/swarm/notify.ts';
import { loadBatch } from '../../support/fleet/batch.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { makeFolder } from '../../support/folder.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

/** A file that a notify command appends to. */
function makeNoticeFile() {
  const path = join(makeFolder(), 'notices.jsonl');
  return {
    command: `cat >> ${path}`,
    read(): Record<string, unknown>[] {
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

test('tells of a batch’s end once, however many workers there are', async () => {
  const notices = makeNoticeFile();
  const model = createScriptedModel(() => 'done');
  const fleet = await useFleet(redis, { env: { FLEET_NOTIFY: notices.command }, haiku: model });
  await fleet.startHaiku(model);
  const lines = Array.from({ length: 40 }, (_, i) => ({ description: `task ${i}` }));
  const batch = await loadBatch(redis, fleet, lines, { batch: 'many' });
  await batch.follow();

  await waitUntil(() => notices.read().length > 0);
  await redis.redis.del(redis.keys.batches); // one more round trip, so that a second notice would have come
  expect(notices.read()).toEqual([
    {
      at: expect.stringMatching(/Z$/) as string,
      swarm: redis.swarm,
      event: 'batch-end',
      batch: 'many',
      tasks: 40,
      completed: 40,
      partial: 0,
      with_tool_errors: 0,
      failed: 0,
      cancelled: 0,
      command: 'fleet findings --batch many',
    },
  ]);
});

test('tells of a halt, with who and why', async () => {
  const notices = makeNoticeFile();
  const fleet = await useFleet(redis);
  const { db, queues } = fleet.inner;
  const notifier = createNotifier({ target: notices.command, db });
  const halt = createHaltSwitch(db, Object.values(queues), { notifier });

  await halt.halt({ reason: 'person', step: '', by: 'ada@box', detail: 'enough' });
  await halt.halt({ reason: 'person', step: '', by: 'bob@box', detail: 'me too' });
  await notifier.flush();

  expect(notices.read()).toMatchObject([{ event: 'halt', reason: 'person', by: 'ada@box', detail: 'enough' }]);
});

test('posts the line to an address', async () => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      bodies.push(body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  redis.cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const notifier = createNotifier({ target: `http://127.0.0.1:${port}/hook`, db: redis.db });

  notifier.notify('quarantine:task-1:1', { event: 'quarantine', job_id: 'task-1', worker_id: 'w', detail: 'died' });
  notifier.notify('quarantine:task-1:1', { event: 'quarantine', job_id: 'task-1', worker_id: 'w', detail: 'died' });
  await notifier.flush();

  expect(bodies).toHaveLength(1);
  expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ event: 'quarantine', job_id: 'task-1' });
});

test('counts a notice that could not be delivered, and nothing else suffers', async () => {
  const notifier = createNotifier({ target: 'exit 7', db: redis.db });

  notifier.notify('halt:now', { event: 'halt', reason: 'person', step: '', by: 'ada', detail: 'enough' });
  await notifier.flush();

  expect(await redis.redis.hget(redis.keys.counters, 'notices_failed')).toBe('1');
});

test('tells early, once a crossing, also where another process looks after a restart', async () => {
  const notices = makeNoticeFile();
  const { db } = redis;
  const { redis: r, keys, clock } = db;
  const shard = { number: 1, project: null, rpd: 100 } as Config['shards'][number];
  const config = { FLEET_NOTIFY: notices.command, FLEET_NOTIFY_WAIT_MIN: 60, shards: [shard] };
  /** Each look is that of a fresh process. */
  const look = async () => {
    const notifier = createNotifier({ target: notices.command, db });
    const before = notices.read().length;
    await lookForAlerts({ db, notifier, config });
    await notifier.flush();
    return notices.read().slice(before);
  };
  const spend = (nano: number) => r.hset(keys.spend(`day:${toUtcDay(clock.date())}`), 'settled', nano);
  await r.hset(keys.budget, 'day', 1_000_000_000);
  expect(await look()).toEqual([]);

  await spend(600_000_000);
  expect(await look()).toMatchObject([
    { event: 'budget', percent: 50, spent_usd: '0.600000', limit_usd: '1.000000', command: 'fleet budget USD' },
  ]);
  expect(await look()).toEqual([]);
  await spend(960_000_000);
  expect(await look()).toMatchObject([{ event: 'budget', percent: 95 }]);
  await r.hset(keys.budget, 'day', 10_000_000_000);
  expect(await look()).toEqual([]);

  const old = { timestamp: clock.now() - 61 * 60_000 };
  await r.hset(keys.queueKey('tasks', 'old'), old);
  await r.hset(keys.queueKey('tasks', 'retried'), { ...old, ats: 1 });
  await r.lpush(keys.queueKey('tasks', 'wait'), 'old', 'new');
  await r.set(keys.shardQuota(1), 9);
  const gone = (at: number) => JSON.stringify({ id: 'haiku_box_001', seenAt: at });
  await r.hset(keys.workers, 'haiku_box_001', gone(clock.now() - 70_000));
  await r.hset(keys.attendants, 'librarian_box_001', clock.now() - 10_000, 'coordinator_box_001', 5);
  expect(await look()).toMatchObject([
    { event: 'quota-low', shard: 1, left: 9, per_day: 100, command: 'fleet limits' },
    { event: 'waiting-long', task: 'old', minutes: 61, waiting: 2, command: 'fleet status' },
    { event: 'worker-gone', worker: 'haiku_box_001', command: 'fleet up' },
  ]);
  expect(await look()).toEqual([]);

  await r.rpush(keys.queueKey('tasks', 'wait'), 'retried'); // it waits since a moment ago
  expect(await look()).toEqual([]);
  await r.rpop(keys.queueKey('tasks', 'wait'));
  expect(await look()).toMatchObject([{ event: 'waiting-long', task: 'old' }]); // it rose again
  await redis.redis.set(keys.shardQuota(1), 80);
  expect(await look()).toEqual([]);
  await redis.redis.set(keys.shardQuota(1), 10);
  expect(await look()).toMatchObject([{ event: 'quota-low', left: 10 }]);

  // Redis was away: at the first look no process has had the time for a sign of life.
  await r.hset(keys.workers, 'haiku_box_002', JSON.stringify({ id: 'haiku_box_002', seenAt: clock.now() - 90_000 }));
  await r.hset(keys.alerts, 'looked-at', clock.now() - 90_000);
  expect(await look()).toEqual([]);
  expect(await look()).toMatchObject([{ event: 'worker-gone', worker: 'haiku_box_002' }]);
});
