import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createHaltSwitch } from '../../../src/halt/halt.ts';
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
