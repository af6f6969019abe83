import { expect, it } from 'vitest';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const fleet = useShell(redis).run;
const MISSION = 'mission-a';

/** Until the end of the test Redis takes nothing that needs memory. */
async function fill(): Promise<void> {
  await redis.redis.config('SET', 'maxmemory', '1mb');
  redis.cleanup(() => redis.redis.config('SET', 'maxmemory', '0'));
}

it('a full Redis takes halt, cancel, park and resume, and no task', async () => {
  const { keys } = redis;
  await fleet('task', 'kept', '--task-id', 'kept');
  await redis.redis.hset(keys.mission(MISSION), { goal: 'learn', state: 'planning' });
  await redis.redis.zadd(keys.missions, 1, MISSION);
  const missions = await openBareQueue(redis, 'missions');
  await missions.add('mission', { goal: 'learn' }, { jobId: MISSION, delay: 3_600_000 });
  await fill();

  expect(await fleet('task', 'one more')).toMatchObject({ code: 1, stderr: expect.stringContaining('is full') });
  expect(await fleet('halt', 'too much')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^Halted/),
  });
  expect(JSON.parse((await redis.redis.get(keys.haltReason)) ?? '{}')).toMatchObject({ detail: 'too much' });
  expect(await redis.redis.hget(keys.queueKey('tasks', 'meta'), 'paused')).toBe('1');
  expect(await redis.redis.hget(keys.queueKey('archive', 'meta'), 'paused')).toBe('1');
  expect(await fleet('cancel', 'kept')).toMatchObject({ code: 0, stderr: '' });
  expect(await redis.redis.zscore(keys.cancelled, 'kept')).not.toBeNull();
  expect(await fleet('park', MISSION)).toMatchObject({ code: 0, stderr: '' });
  expect(await fleet('resume', MISSION)).toMatchObject({ code: 0, stderr: '' });
  expect(await fleet('resume')).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Lifted') });
  expect(await redis.redis.exists(keys.haltReason)).toBe(0);
  expect(await redis.redis.hget(keys.queueKey('tasks', 'meta'), 'paused')).toBeNull();
});
