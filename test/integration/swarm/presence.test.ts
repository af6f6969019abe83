import { expect, it } from 'vitest';
import { createLogger } from '../../../src/process/logger.ts';
import { startHeartbeat } from '../../../src/swarm/heartbeat.ts';
import { isAnyoneUp, keepPresence, readAttendants } from '../../../src/swarm/presence.ts';
import { takeWorkerName } from '../../../src/swarm/worker-name.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const log = createLogger('test', 'silent');

const readUp = async () => ({
  haiku: await isAnyoneUp(redis.db, 'haiku'),
  librarian: await isAnyoneUp(redis.db, 'librarian'),
  coordinator: await isAnyoneUp(redis.db, 'coordinator'),
});

it('knows of each kind whether a process is up, from its first sign of life until it ends', async () => {
  const { db } = redis;
  expect(await readUp()).toEqual({ haiku: false, librarian: false, coordinator: false });

  const name = await takeWorkerName(db, undefined, 'librarian');
  const leave = await keepPresence({ db, name, log });
  redis.cleanup(leave);
  expect(await readUp()).toEqual({ haiku: false, librarian: true, coordinator: false });
  expect(await readAttendants(db)).toEqual([name.id]);

  const heartbeat = startHeartbeat({
    db,
    log,
    workerId: 'w1',
    slots: 1,
    workspaces: [],
    programs: [],
    activeJobs: () => [],
    hold: async () => undefined,
  });
  redis.cleanup(() => heartbeat.stop());
  await heartbeat.beat();
  expect(await readUp()).toEqual({ haiku: true, librarian: true, coordinator: false });

  await leave();
  await heartbeat.stop();
  expect(await readUp()).toEqual({ haiku: false, librarian: false, coordinator: false });
});

it('counts neither a process that is silent for too long nor a damaged record', async () => {
  const { redis: admin, keys } = redis;
  const ago = (seconds: number) => Date.now() - 1_000 * seconds;
  await admin.hset(keys.workers, {
    w1: JSON.stringify({ id: 'w1', seenAt: ago(61) }),
    w2: '{',
    w3: '{"seenAt":"now"}',
  });
  await admin.hset(keys.attendants, { librarian_box_001: ago(76), coordinator_box_001: 'now' });

  expect(await readUp()).toEqual({ haiku: false, librarian: false, coordinator: false });
});
